/**
 * Headers that are not passed on by a proxy: those of one connection (RFC 9110, section 7.6.1), and the credentials that
 * are the API server's business.
 */
export const hopHeaders: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'content-length',
  'authorization',
]
