/** Messages with the long sentences about names, labels and keys cut to their first words. */
export function short(messages: readonly string[]): readonly string[] {
  return messages.map((message) => {
    const line = message.split('\n')[0] ?? ''
    return line
      .replace(
        /a (lowercase RFC 1123 label|lowercase RFC 1123 subdomain|DNS-1035 label|valid label|valid config key) must .*/,
        '($1)',
      )
      .replace(/name part must consist .*/, '(qualified name)')
  })
}
