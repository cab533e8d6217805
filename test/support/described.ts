import Ajv from 'ajv/dist/2020';
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

interface Described {
  paths: Record<
    string,
    Record<string, { responses: Record<string, { content?: Record<string, { schema: object }> }> }>
  >;
}

/** What of an answer the OpenAPI document does not say: a status, a media type, a field, or a value that is none of its schema. */
export function undescribed(document: Json, { method, path, status, type, body }: Answer): string[] {
  const { paths }: Described = document;
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
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  const validate = ajv.compile(closed({ ...schema, components: document.components }) as object);
  if (validate(body)) return [];
  return (validate.errors ?? []).map((fault) => `${name}: ${ajv.errorsText([fault])} ${JSON.stringify(fault.params)}`);
}

/** The schema with every object closed that names its fields: one that it does not name is a fault here. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const parts = Object.fromEntries(Object.entries(schema).map(([key, part]) => [key, closed(part)]));
  return 'properties' in parts && !('additionalProperties' in parts)
    ? { ...parts, additionalProperties: false }
    : parts;
}
