import assert from 'node:assert/strict'
import { test } from 'node:test'
import { validateCidr, validateIp, warnAboutCidr, warnAboutIp } from './validate-ip.ts'
import { validateEndpointIp } from './validate-endpoint-ip.ts'

const noAddress = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
const noNetwork = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'

test('addresses stand in their strict form', () => {
  const cases: readonly [string, string | undefined][] = [
    ['10.0.0.1', undefined],
    ['fd00::1', undefined],
    ['FD00:0::1', undefined],
    ['010.0.0.1', 'must not have leading 0s'],
    ['::ffff:1.2.3.4', 'must not be an IPv4-mapped IPv6 address'],
    ['1.2.3', noAddress],
    ['256.1.1.1', noAddress],
    ['', noAddress],
  ]
  for (const [ip, expected] of cases) {
    const wanted = expected === undefined ? [] : [`Invalid value: "${ip}": ${expected}`]
    assert.deepEqual(
      validateIp(ip, 'p').map(({ message }) => message),
      wanted,
    )
  }
  assert.deepEqual(validateIp('010.0.0.1', 'p', ['010.0.0.1']), [])
})

test('networks stand in their strict form', () => {
  const cases: readonly [string, string | undefined][] = [
    ['10.0.0.0/8', undefined],
    ['fd00::/64', undefined],
    ['10.0.0.0/08', 'must not have leading 0s in IP or prefix length'],
    ['::ffff:1.2.3.0/120', 'must not have an IPv4-mapped IPv6 address'],
    ['10.0.0.1/8', 'must not have bits set beyond the prefix length'],
    ['10.0.0.0/33', noNetwork],
    ['10.0.0.0', noNetwork],
  ]
  for (const [cidr, expected] of cases) {
    const wanted = expected === undefined ? [] : [`Invalid value: "${cidr}": ${expected}`]
    assert.deepEqual(
      validateCidr(cidr, 'p').map(({ message }) => message),
      wanted,
    )
  }
})

test('odd forms are warned of', () => {
  assert.deepEqual(warnAboutIp('10.0.0.1', 'p'), [])
  assert.deepEqual(warnAboutIp('FD00:0::1', 'p'), [
    'p: IPv6 address "FD00:0::1" should be in RFC 5952 canonical format ("fd00::1")',
  ])
  assert.deepEqual(warnAboutIp('010.0.0.1', 'p'), [
    'p: non-standard IP address "010.0.0.1" will be considered invalid in a future Kubernetes release: use "10.0.0.1"',
  ])
  assert.deepEqual(warnAboutCidr('10.0.0.1/8', 'p'), [
    'p: non-standard CIDR value "10.0.0.1/8" will be considered invalid in a future Kubernetes release: use "10.0.0.0/8"',
  ])
})

test('an endpoint is reachable from elsewhere', () => {
  const cases: readonly [string, string | undefined][] = [
    ['10.0.0.1', undefined],
    ['0.0.0.0', 'may not be unspecified (0.0.0.0)'],
    ['::', 'may not be unspecified (::)'],
    ['127.8.0.1', 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
    ['169.254.0.1', 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
    ['224.0.0.9', 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
    ['fe80::1', 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
    ['x', 'must be a valid IP address'],
  ]
  for (const [ip, expected] of cases) {
    const wanted = expected === undefined ? [] : [`Invalid value: "${ip}": ${expected}`]
    assert.deepEqual(
      validateEndpointIp(ip, 'p').map(({ message }) => message),
      wanted,
    )
  }
})
