import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';

/** A text that is not what its variable needs; the message completes "<NAME>: ". */
export class Malformed {
  constructor(readonly problem: string) {}
}

export type Parse<T> = (text: string) => T | Malformed;

const names = new Map<string, string>();

/**
 * A property that is read from the environment variable of its name: `amlyzeBatchSize` from AMLYZE_BATCH_SIZE.
 * The text is parsed here, and what cannot be parsed fails the validation of that property.
 */
export function Variable<T>(parse: Parse<T>): PropertyDecorator {
  return (target, property) => {
    const name = String(property);
    names.set(name, name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase());
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? parseUnquoted(value, parse) : value))(
      target,
      property,
    );
    ValidateBy({
      name: 'wellFormed',
      validator: {
        validate: (value) => !(value instanceof Malformed),
        defaultMessage: (args) => (args?.value instanceof Malformed ? args.value.problem : 'is not valid'),
      },
    })(target, property);
  };
}

/** Shells take quotes away; an env file of Docker, say, does not, and the quotes would go out in every token and record. */
function parseUnquoted<T>(text: string, parse: Parse<T>): T | Malformed {
  return /^(["']).*\1$/s.test(text) && text.length > 1
    ? new Malformed('must not stand in quotes: here they are part of the value')
    : parse(text);
}

/** Property name -> variable name, of every declared variable. */
export function declaredVariables(): ReadonlyMap<string, string> {
  return names;
}
