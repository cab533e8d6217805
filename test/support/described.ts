import type { Json } from './gateway';

interface Answer {
  method: string;
  /** As it was called, query and all. */
  path: string;
  status: number;
  /** Its media type, without parameters; empty where it has no body. */
  type: string;
  body: Json;
}

/** One call, and its answer as `undescribed` wants it. */
export async function answerOf(base: string, path: string, init: RequestInit & { key?: string } = {}): Promise<Answer> {
  const { key, headers, ...rest } = init;
  const response = await fetch(`${base}${path}`, {
    ...rest,
    headers: { ...(key !== undefined && { Authorization: `Bearer ${key}` }), ...(headers as Record<string, string>) },
  });
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';');
  const text = await response.text();
  const body: Json = type.endsWith('json') ? JSON.parse(text) : text;
  return { method: rest.method ?? 'GET', path, status: response.status, type, body };
}

interface Schema {
  $ref?: string;
  oneOf?: Schema[];
  anyOf?: Schema[];
  type?: string | string[];
  enum?: unknown[];
  items?: Schema;
  required?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
}

interface Described {
  paths: Record<
    string,
    Record<string, { responses: Record<string, { content?: Record<string, { schema: Schema }> }> }>
  >;
  components: { schemas: Record<string, Schema> };
}

/** What of an answer the OpenAPI document does not say: a status, a media type, a field, or a value that is none of its schema. */
export function undescribed(document: Json, { method, path, status, type, body }: Answer): string[] {
  const { paths, components }: Described = document;
  const name = `${method} ${path} ${status}`;
  const { pathname } = new URL(path, 'http://gateway');
  const known = Object.keys(paths)
    .filter((each) => new RegExp(`^${each.replace(/\{\w+\}/g, '[^/]+')}$`).test(pathname))
    .sort((a, b) => a.split('{').length - b.split('{').length);
  const operation = known.map((each) => paths[each]?.[method.toLowerCase()]).find((each) => each !== undefined);
  const response = operation?.responses[status];
  if (!response) return [`${name}: not in the document`];
  if (type === '') return response.content ? [`${name}: has no body`] : [];
  const schema = response.content?.[type]?.schema;
  if (!schema) return [`${name}: ${type} is not in the document`];
  return faults({ schemas: components.schemas, schema, value: body, at: 'it' }).map((fault) => `${name}: ${fault}`);
}

interface Place {
  schemas: Record<string, Schema>;
  schema: Schema;
  value: unknown;
  at: string;
}

/** The part of JSON Schema that the document uses. Fields that it does not name are a fault here. */
function faults({ schemas, schema, value, at }: Place): string[] {
  const inside = (of: Schema, part: unknown, where = at): string[] =>
    faults({ schemas, schema: of, value: part, at: where });
  if (schema.$ref !== undefined) return inside(schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}, value);
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) {
    const each = choices.map((choice) => inside(choice, value));
    return each.some((found) => found.length === 0) ? [] : each.flat();
  }
  const types = [schema.type ?? []].flat();
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  if (!types.includes(type) && !(types.includes('integer') && Number.isInteger(value)))
    return [`${at} is ${type}, not ${types.join(' or ')}`];
  if (schema.enum && !schema.enum.includes(value)) return [`${at} is ${String(value)}, not in the list`];
  if (Array.isArray(value)) return value.flatMap((item, n) => inside(schema.items ?? {}, item, `${at}[${n}]`));
  if (typeof value !== 'object' || value === null) return [];
  const missing = (schema.required ?? []).filter((field) => !(field in value));
  return [
    ...missing.map((field) => `${at}.${field} is missing`),
    ...Object.entries(value).flatMap(([field, part]) => {
      const of = schema.properties?.[field] ?? schema.additionalProperties ?? !schema.properties;
      if (typeof of === 'object') return inside(of, part, `${at}.${field}`);
      return of ? [] : [`${at}.${field} is not in the document`];
    }),
  ];
}
