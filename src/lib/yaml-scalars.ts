/**
 * Which texts mean something other than themselves where they stand in YAML without quotes: null, a truth value, a
 * number, a time. Readers of YAML 1.1 count, too, so `yes`, `1_000`, `12:30` and `2009-01-01` are among them.
 */
export function isMoreThanText(text: string): boolean {
  return others.some((pattern) => pattern.test(text))
}

const others: readonly RegExp[] = [
  /^(?:|~|null|Null|NULL|<<)$/,
  /^(?:y|Y|yes|Yes|YES|on|On|ON|true|True|TRUE|n|N|no|No|NO|off|Off|OFF|false|False|FALSE)$/,
  /^[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$/,
  /^[-+]?0(?:x[0-9a-fA-F_]+|o[0-7_]+|b[01_]+)$/,
  /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
  /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/,
  /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2})?)?$/,
]
