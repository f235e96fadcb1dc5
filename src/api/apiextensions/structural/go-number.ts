/** A number as messages show it: shortest digits, with an exponent from 1e+21 on for integers and 1e-5 down. */
export function goNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return BigInt(value).toString()
  if (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e21) {
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
  }
  return String(value)
}
