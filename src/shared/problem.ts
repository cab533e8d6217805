import { HttpException } from '@nestjs/common';
import { shownText } from './shown-text';

/** One fault of the input. */
export interface FieldError {
  /** Path of the field in the body or query, such as `settings.balanceTypes[0].code`; empty for the input as a whole. */
  field: string;
  /** What was expected and what to do. Never the value itself: it may be a secret. */
  message: string;
}

/** The body of every error answer (RFC 9457). */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  correlationId: string;
  errors?: FieldError[];
}

interface ProblemInit {
  status: number;
  /** Stable name; the problem's `type` is made of it. */
  name: string;
  title: string;
  detail: string;
  errors?: readonly FieldError[];
  /** Extension members beside the standard ones. */
  extra?: Readonly<Record<string, unknown>>;
  headers?: Readonly<Record<string, string>>;
}

/** An error answer with everything that the caller is to know. Nothing else of an error ever leaves the gateway. */
export class ApiProblem extends HttpException {
  readonly type: string;
  readonly title: string;
  readonly errors: readonly FieldError[] | undefined;
  readonly extra: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(init: ProblemInit) {
    super(init.detail, init.status);
    this.type = `urn:problem-type:${init.name}`;
    this.title = init.title;
    this.errors = init.errors;
    this.extra = init.extra ?? {};
    this.headers = init.headers ?? {};
  }

  /** 404: there is no such thing. */
  static notFound(what: string, id: string): ApiProblem {
    return new ApiProblem({
      status: 404,
      name: 'not-found',
      title: 'Not found',
      detail: `There is no ${what} with the id ${quote(id)}.`,
    });
  }

  /** 404 because a field of the body names something that does not exist. */
  static unknownReference(field: string, what: string, id: string): ApiProblem {
    return new ApiProblem({
      status: 404,
      name: 'not-found',
      title: 'Not found',
      detail: `There is no ${what} with the id ${quote(id)}.`,
      errors: [{ field, message: `must be the id of an existing ${what}` }],
    });
  }

  /** 409: the state of things does not allow it. */
  static conflict(detail: string, extra?: Readonly<Record<string, unknown>>): ApiProblem {
    return new ApiProblem({ status: 409, name: 'conflict', title: 'Conflict', detail, ...(extra && { extra }) });
  }

  /** 400: the input is not what was expected, field by field. */
  static invalid(errors: readonly FieldError[]): ApiProblem {
    const fields = new Set(errors.map(({ field }) => field)).size;
    return new ApiProblem({
      status: 400,
      name: 'invalid-input',
      title: 'Invalid input',
      detail: fields === 1 ? 'One field is not as expected.' : `${fields} fields are not as expected.`,
      errors,
    });
  }

  /** 400 for input that cannot be read at all. */
  static malformed(detail: string): ApiProblem {
    return new ApiProblem({ status: 400, name: 'malformed-request', title: 'Malformed request', detail });
  }

  static unauthorized(): ApiProblem {
    return new ApiProblem({
      status: 401,
      name: 'unauthorized',
      title: 'Unauthorized',
      detail: 'Send a valid admin key: "Authorization: Bearer <admin key>".',
      headers: { 'WWW-Authenticate': 'Bearer realm="open-banking-gateway"' },
    });
  }

  static tooLarge(detail: string): ApiProblem {
    return new ApiProblem({ status: 413, name: 'too-large', title: 'Content too large', detail });
  }

  static unsupportedMediaType(expected: readonly string[]): ApiProblem {
    return new ApiProblem({
      status: 415,
      name: 'unsupported-media-type',
      title: 'Unsupported media type',
      detail: `Send the body as ${expected.join(' or ')}, in UTF-8 and without content encoding.`,
    });
  }
}

/** Ids come from the URL. */
function quote(id: string): string {
  const shown = shownText(id, 41).replaceAll('"', '?');
  return `"${shown.length > 40 ? `${shown.slice(0, 40)}…` : shown}"`;
}
