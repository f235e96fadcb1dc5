import { readSignatures, type Signatures } from './signatures.ts'

const orders = ['bool', 'int', 'uint', 'double', 'string', 'bytes', 'timestamp', 'duration']
const numbers = ['int', 'uint', 'double']

/** Values of one type are ordered, and numbers of any type among one another. */
function comparison(): string {
  const mixed = numbers.flatMap((a) => numbers.filter((b) => b !== a).map((b) => `(${a}, ${b}) bool`))
  return [...orders.map((type) => `(${type}, ${type}) bool`), ...mixed].join(' | ')
}

const of = (...types: readonly string[]): string => types.map((type) => `(${type}, ${type}) ${type}`).join(' | ')

const timePart = 'timestamp.() int | timestamp.(string) int'

const operators = `
_?_:_: (bool, A, A) A
_&&_: (bool, bool) bool
_||_: (bool, bool) bool
!_: (bool) bool
-_: (int) int | (double) double
_==_: (A, A) bool
_!=_: (A, A) bool
_<_: ${comparison()}
_<=_: ${comparison()}
_>_: ${comparison()}
_>=_: ${comparison()}
_+_: ${of('bytes', 'double', 'duration', 'int', 'list(A)', 'string', 'uint')} | (duration, timestamp) timestamp | (timestamp, duration) timestamp
_-_: ${of('double', 'duration', 'int', 'uint')} | (timestamp, duration) timestamp | (timestamp, timestamp) duration
_*_: ${of('double', 'int', 'uint')}
_/_: ${of('double', 'int', 'uint')}
_%_: ${of('int', 'uint')}
@in: (A, list(A)) bool | (A, map(A, B)) bool
_[_]: (list(A), int) A | (map(A, B), A) B | (optional_type(list(A)), int) optional_type(A) | (optional_type(map(A, B)), A) optional_type(B)
_[?_]: (list(A), int) optional_type(A) | (map(A, B), A) optional_type(B) | (optional_type(list(A)), int) optional_type(A) | (optional_type(map(A, B)), A) optional_type(B)
`

const basics = `
size: (bytes) int | bytes.() int | (list(A)) int | list(A).() int | (map(A, B)) int | map(A, B).() int | (string) int | string.() int
contains: string.(string) bool
startsWith: string.(string) bool
endsWith: string.(string) bool
matches: (string, string) bool | string.(string) bool
bool: (bool) bool | (string) bool
bytes: (bytes) bytes | (string) bytes
double: (double) double | (int) double | (string) double | (uint) double
duration: (duration) duration | (int) duration | (string) duration
dyn: (A) dyn
int: (int) int | (double) int | (duration) int | (string) int | (timestamp) int | (uint) int
string: (string) string | (bool) string | (bytes) string | (double) string | (duration) string | (int) string | (timestamp) string | (uint) string
timestamp: (timestamp) timestamp | (int) timestamp | (string) timestamp
type: (A) type(A)
uint: (uint) uint | (double) uint | (int) uint | (string) uint
`

const times = `
getFullYear: ${timePart}
getMonth: ${timePart}
getDate: ${timePart}
getDayOfMonth: ${timePart}
getDayOfWeek: ${timePart}
getDayOfYear: ${timePart}
getHours: ${timePart} | duration.() int
getMinutes: ${timePart} | duration.() int
getSeconds: ${timePart} | duration.() int
getMilliseconds: ${timePart} | duration.() int
`

const texts = `
charAt: string.(int) string
indexOf: string.(string) int | string.(string, int) int | list(A).(A) int
lastIndexOf: string.(string) int | string.(string, int) int | list(A).(A) int
lowerAscii: string.() string
upperAscii: string.() string
trim: string.() string
replace: string.(string, string) string | string.(string, string, int) string
split: string.(string) list(string) | string.(string, int) list(string)
substring: string.(int) string | string.(int, int) string
join: list(string).() string | list(string).(string) string
format: string.(list(dyn)) string
strings.quote: (string) string
find: string.(string) string
findAll: string.(string) list(string) | string.(string, int) list(string)
`

const lists = `
isSorted: ${orders.map((type) => `list(${type}).() bool`).join(' | ')}
sum: ${[...numbers, 'duration'].map((type) => `list(${type}).() ${type}`).join(' | ')}
min: ${orders.map((type) => `list(${type}).() ${type}`).join(' | ')}
max: ${orders.map((type) => `list(${type}).() ${type}`).join(' | ')}
distinct: list(A).() list(A)
sort: ${orders.map((type) => `list(${type}).() list(${type})`).join(' | ')}
slice: list(A).(int, int) list(A)
flatten: list(list(A)).() list(A) | list(dyn).(int) list(dyn)
reverse: list(A).() list(A)
lists.range: (int) list(int)
sets.contains: (list(A), list(A)) bool
sets.equivalent: (list(A), list(A)) bool
sets.intersects: (list(A), list(A)) bool
`

const optionals = `
optional.of: (A) optional_type(A)
optional.ofNonZeroValue: (A) optional_type(A)
optional.none: () optional_type(A)
hasValue: optional_type(A).() bool
value: optional_type(A).() A
or: optional_type(A).(optional_type(A)) optional_type(A)
orValue: optional_type(A).(A) A
`

/** How the functions and operators of the language and of its extensions are called. Made when it is first asked for. */
export function standardSignatures(): Signatures {
  return readSignatures([operators, basics, times, texts, lists, optionals].join(''))
}
