/** A program that only shells know: lines that make `/www` and what is run by a web server on port 80. */
function webScript(...lines: readonly string[]): string {
  const serve = ['mkdir -p /www/cgi-bin', ...lines, 'chmod +x /www/cgi-bin/* 2>/dev/null', 'trap exit TERM']
  return [...serve, 'httpd -f -p 80 -h /www & wait'].join('\n')
}

const cgi = (name: string, ...lines: readonly string[]): string =>
  [`cat > /www/cgi-bin/${name} <<'END'`, '#!/bin/sh', 'echo "Content-Type: text/plain"; echo', ...lines, 'END'].join(
    '\n',
  )

const scripts: Readonly<Record<string, string>> = {
  primary: webScript('touch /www/book', cgi('set', 'echo "$QUERY_STRING" > /www/book', 'echo Updated')),
  // A replica serves its own copy, and whether it has one is what makes it ready.
  replica: webScript('(while :; do wget -qO /www/new http://primary/book && mv /www/new /www/book; sleep 0.2; done) &'),
  frontend: webScript(
    cgi(
      'guestbook',
      'case "$QUERY_STRING" in',
      '  entry=*) wget -qO- "http://primary/cgi-bin/set?${QUERY_STRING#entry=}";;',
      '  *) wget -qO- http://replica/book;;',
      'esac',
    ),
  ),
}

/** A Deployment of the guest book. */
export interface GuestbookTier {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: object
  readonly spec: { readonly replicas: number; readonly template: { readonly spec: { containers: readonly object[] } } }
}

const labelsOf = (tier: string): object => ({ app: 'guestbook', tier })

/** The Deployment of one tier: `frontend`, `primary` or `replica`. */
export function guestbookTier(tier: string, replicas: number): GuestbookTier {
  const probe = tier === 'replica' ? { httpGet: { path: '/book', port: 80 } } : { tcpSocket: { port: 80 } }
  const container = {
    name: 'main',
    image: 'coracle.test/busybox:1',
    command: ['sh', '-c', scripts[tier]],
    ports: [{ containerPort: 80 }],
    readinessProbe: { ...probe, periodSeconds: 1 },
  }
  const spec = { terminationGracePeriodSeconds: 0, containers: [container] }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: tier, labels: labelsOf(tier) },
    spec: {
      replicas,
      selector: { matchLabels: labelsOf(tier) },
      template: { metadata: { labels: labelsOf(tier) }, spec },
    },
  } as GuestbookTier
}

function service(tier: string): object {
  const spec = { selector: labelsOf(tier), ports: [{ port: 80 }] }
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: tier, labels: labelsOf(tier) }, spec }
}

/** A front end, a primary that keeps the book, and two replicas that copy it and are read. */
export function guestbook(): object {
  const tiers = [guestbookTier('frontend', 1), guestbookTier('primary', 1), guestbookTier('replica', 2)]
  return { apiVersion: 'v1', kind: 'List', items: [...tiers, ...Object.keys(scripts).map(service)] }
}
