/** `ProviderConnection.version` of a stored connection, as SQL over its row: every change of the row sets this time anew. */
export const CONNECTION_VERSION = 'updated_at::text';
