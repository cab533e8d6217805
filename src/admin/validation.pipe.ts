import { type ArgumentMetadata, ValidationPipe } from '@nestjs/common';
import type { ValidationError, ValidatorOptions } from 'class-validator';
import { ApiProblem, type FieldError } from '../shared/problem';
import { shownText } from '../shared/shown-text';

/** One strictness for everything that comes in from outside: unknown fields are refused, types are not converted. */
export const STRICT: ValidatorOptions = {
  whitelist: true,
  forbidNonWhitelisted: true,
  forbidUnknownValues: true,
  // Values stay out of the errors: they may be secrets.
  validationError: { target: false, value: false },
};

const UNKNOWN_FIELD = 'is not a field of this request: remove it or correct its spelling';

/** The global pipe for bodies and queries. */
export class StrictPipe extends ValidationPipe {
  constructor() {
    super({
      ...STRICT,
      transform: true,
      transformOptions: { enableImplicitConversion: false },
      exceptionFactory: (errors: ValidationError[]) => ApiProblem.invalid(toFieldErrors(errors)),
    });
  }

  override transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'body' || metadata.type === 'query') {
      const errors = inheritedNames(value, '').map((field) => ({ field, message: UNKNOWN_FIELD }));
      if (errors.length > 0) throw ApiProblem.invalid(errors);
    }
    return super.transform(value, metadata);
  }
}

/** Fields named like a member that every object inherits: class-transformer drops those before anybody could call them unknown. */
function inheritedNames(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const field = pathOf(path, name);
    // Node's --disable-proto, with which the gateway runs, takes __proto__ out of it.
    const inherited = name in Object.prototype || name === '__proto__';
    return inherited ? [field] : inheritedNames(inner, field);
  });
}

/** Flattens class-validator's tree to paths such as `rates[3].base`. */
export function toFieldErrors(errors: readonly ValidationError[], parent = ''): FieldError[] {
  return errors.flatMap((error) => {
    const field = pathOf(parent, error.property);
    const own = Object.entries(error.constraints ?? {}).map(([name, message]) => ({
      field,
      message: wording(name, message, error.property),
    }));
    return [...own, ...toFieldErrors(error.children ?? [], field)];
  });
}

function pathOf(parent: string, property: string | undefined): string {
  if (property === undefined) return parent;
  // Names of unknown fields are the caller's.
  const name = shownText(property, 100);
  if (parent === '') return name;
  return /^\d+$/.test(name) ? `${parent}[${name}]` : `${parent}.${name}`;
}

function wording(constraint: string, message: string, property: string | undefined): string {
  if (constraint === 'whitelistValidation') return UNKNOWN_FIELD;
  if (constraint === 'unknownValue' || property === undefined) return 'must be one JSON object';
  // class-validator's own messages begin with the property's name, which the field says already.
  return message.startsWith(`${property} `) ? message.slice(property.length + 1) : message;
}
