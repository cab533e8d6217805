import { Injectable, type PipeTransform } from '@nestjs/common';
import { text } from '../admin/rules';
import { ApiProblem } from '../shared/problem';

const rule = text(255);

/** What cannot be a communication number is as unknown as one that is not there, and must not reach the database. */
@Injectable()
export class RecordNumberPipe implements PipeTransform<string, string> {
  transform(value: string): string {
    if (rule(value) !== undefined) throw ApiProblem.notFound('record', value);
    return value;
  }
}
