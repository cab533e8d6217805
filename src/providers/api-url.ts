/**
 * Joins a base URL, which may carry a path prefix, and a path whose `{placeholders}` are filled with encoded values.
 * Returns undefined for a value that no encoding keeps inside its segment: `.` and `..` are resolved as steps even when
 * they are percent-encoded (WHATWG URL, section 4.4).
 */
export function apiUrl(
  baseUrl: string,
  path: string,
  values: Readonly<Record<string, string>> = {},
): string | undefined {
  let filled = path;
  for (const [name, value] of Object.entries(values)) {
    if (value === '' || value === '.' || value === '..' || !value.isWellFormed()) return undefined;
    filled = filled.replace(`{${name}}`, encodeURIComponent(value));
  }
  return (baseUrl.endsWith('/') ? baseUrl.replace(/\/+$/, '') : baseUrl) + filled;
}
