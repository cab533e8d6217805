import { Injectable, type PipeTransform } from '@nestjs/common';
import { ApiProblem } from '../shared/problem';

const LONGEST = 255;

/** What cannot be a communication number is as unknown as one that is not there, and must not reach the database. */
@Injectable()
export class RecordNumberPipe implements PipeTransform<string, string> {
  transform(value: string): string {
    if (value.length > LONGEST || /\p{Cc}/u.test(value) || !value.isWellFormed())
      throw ApiProblem.notFound('record', value);
    return value;
  }
}
