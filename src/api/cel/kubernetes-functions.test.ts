import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkCel } from '#lib/cel/check.ts'
import { compileCel } from '#lib/cel/program.ts'
import { toJson } from '#lib/cel/values.ts'
import { kubernetesFunctions } from './kubernetes-functions.ts'
import { kubernetesSignatures } from './kubernetes-signatures.ts'

/** Reads, checks and evaluates: what the checker lets pass must be there when it is asked for. */
function evaluate(source: string): unknown {
  checkCel(source, { variables: new Map(), signatures: kubernetesSignatures() })
  const program = compileCel(source, { variables: new Set(), functions: kubernetesFunctions })
  return toJson(program.evaluate({}, { maxCost: 1_000_000 }).value)
}

// Mostly the examples of the documentation of "CEL in Kubernetes".
const rows: readonly (readonly [source: string, value: unknown])[] = [
  ['[1, 2, 3].isSorted() && !["b", "a"].isSorted()', true],
  ['[1, 2, 3].sum()', 6],
  ['[duration("1h"), duration("1m")].sum() == duration("61m")', true],
  ['["b", "a"].max()', 'b'],
  ['[3, 1].min()', 1],
  ['[1, 2, 2].indexOf(2)', 1],
  ['[1, 2, 2].lastIndexOf(2)', 2],
  ['[3, 1, 2].sort()', [1, 2, 3]],
  ['[1, 1, 2].distinct()', [1, 2]],
  ['[1, 2, 3].slice(1, 3)', [2, 3]],
  ['[[1], [2, 3]].flatten()', [1, 2, 3]],
  ['[1, 2].reverse()', [2, 1]],
  ['lists.range(3)', [0, 1, 2]],
  ['sets.contains([1, 2], [2]) && sets.equivalent([1, 2], [2, 1]) && !sets.intersects([1], [2])', true],
  ['"abc 123".find("[0-9]+")', '123'],
  ['"123 abc 456".findAll("[0-9]+")', ['123', '456']],
  ['"123 abc 456".findAll("[0-9]+", 1)', ['123']],
  ['url("https://example.com:80/a%20b?x=1&x=2").getHost()', 'example.com:80'],
  ['url("https://[::1]:80/").getHostname()', '::1'],
  ['url("https://example.com:80/").getPort()', '80'],
  ['url("https://example.com/a%20b").getEscapedPath()', '/a%20b'],
  ['url("https://example.com/?k1=a&k2=b&k2=c").getQuery()', { k1: ['a'], k2: ['b', 'c'] }],
  ['url("/path").getScheme()', ''],
  ['isURL("https://a.b") && !isURL("a b")', true],
  ['ip("127.0.0.1").family()', 4],
  ['ip("::1").isLoopback() && ip("0.0.0.0").isUnspecified() && ip("192.168.0.1").isGlobalUnicast()', true],
  ['ip("224.0.0.1").isLinkLocalMulticast() && ip("fe80::1").isLinkLocalUnicast()', true],
  ['isIP("10.0.0.1") && !isIP("10.0.0.256")', true],
  ['ip.isCanonical("2001:db8::abcd") && !ip.isCanonical("2001:DB8::ABCD")', true],
  ['string(ip("10.0.0.1"))', '10.0.0.1'],
  ['cidr("192.168.0.0/24").containsIP("192.168.0.1")', true],
  ['cidr("192.168.0.0/16").containsCIDR(cidr("192.168.10.0/24"))', true],
  ['cidr("192.168.1.5/24").masked() == cidr("192.168.1.0/24")', true],
  ['cidr("10.0.0.0/8").prefixLength()', 8],
  ['string(cidr("10.0.0.0/8").ip())', '10.0.0.0'],
  ['isCIDR("10.0.0.0/8") && !isCIDR("10.0.0.0")', true],
  ['quantity("50k").add(20).compareTo(quantity("50020"))', 0],
  ['quantity("50k").sub(quantity("20")).asInteger()', 49980],
  ['quantity("200M").isGreaterThan(quantity("150M")) && quantity("1").isLessThan(quantity("2"))', true],
  ['quantity("-1").sign()', -1],
  ['quantity("1.5").isInteger()', false],
  ['quantity("500m").asApproximateFloat()', 0.5],
  ['quantity("1Gi") == quantity("1024Mi")', true],
  ['isQuantity("1.3Gi") && !isQuantity("12 k")', true],
  ['semver("1.2.3").isLessThan(semver("1.10.0"))', true],
  ['semver("1.0.0-alpha").compareTo(semver("1.0.0"))', -1],
  ['semver("v01.2", true).minor()', 2],
  ['isSemver("1.0.0") && !isSemver("v1.0") && isSemver("v1.0", true)', true],
  ['format.dns1123Label().validate("my-label").hasValue()', false],
  ['format.dns1123Label().validate("My_Label").hasValue()', true],
  ['format.named("uuid").value().validate("not").hasValue()', true],
  ['format.named("nothing").hasValue()', false],
  ['"%s-%d".format(["a", 1])', 'a-1'],
  ['{"a": 1}.exists(k, v, k == "a" && v == 1)', true],
  ['[1, 2].transformList(i, v, i + v)', [1, 3]],
  ['{"a": 1}.?b.orValue(2)', 2],
  ['[1, ?optional.none()].size()', 1],
  ['optional.of(1).optMap(x, x + 1).value()', 2],
]
for (const [source, value] of rows) test(`${source}`, () => assert.deepEqual(evaluate(source), value))

const failures: readonly (readonly [source: string, message: RegExp])[] = [
  ['quantity("x") == quantity("1")', /quantities must match the regular expression/],
  ['ip("x").family()', /IP Address "x" parse error during conversion from string/],
  ['cidr("x").prefixLength()', /network address parse error during conversion from string/],
  ['semver("x").major()', /Invalid Semantic Version/],
  ['quantity("1.5").asInteger()', /cannot convert value to integer/],
]
for (const [source, message] of failures) test(`${source} fails`, () => assert.throws(() => evaluate(source), message))
