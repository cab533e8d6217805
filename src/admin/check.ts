import { ValidateBy, ValidateIf } from 'class-validator';

/** @returns what was expected, or undefined where the value is fine */
export type Rule = (value: unknown) => string | undefined;

/** Holds a property to a rule, whose words become the error's message. The same rule can be called without a DTO. */
export function Check(rule: Rule): PropertyDecorator {
  return ValidateBy({
    name: 'check',
    validator: {
      validate: (value: unknown) => rule(value) === undefined,
      defaultMessage: (argument) => messageOf(rule, argument?.value),
    },
  });
}

/** Whoever left a field out has to hear that first, and what belongs into it. */
function messageOf(rule: Rule, value: unknown): string {
  const expected = rule(value) ?? '';
  return value === undefined ? `is required, and ${expected}` : expected;
}

/** The property may be absent. Unlike class-validator's IsOptional it does not let null through. */
export function Optional(): PropertyDecorator {
  return ValidateIf((_object, value) => value !== undefined);
}

/** The property may be absent, or null where null takes a stored value away. */
export function OptionalOrNull(): PropertyDecorator {
  return ValidateIf((_object, value) => value !== undefined && value !== null);
}
