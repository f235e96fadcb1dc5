/** A Deployment of the test web server, its configuration, and a Service that the node's ports lead to. */
export function webManifest({ replicas = 3, version = '1' } = {}): object {
  const labels = { app: 'web' }
  const container = {
    name: 'nginx',
    image: `coracle.test/nginx:${version}`,
    ports: [{ name: 'http', containerPort: 80 }],
    env: [
      { name: 'GREETING', valueFrom: { configMapKeyRef: { name: 'web', key: 'greeting' } } },
      { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ],
    readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 },
    // Time for every node to stop sending before the server stops listening.
    lifecycle: { preStop: { exec: { command: ['sleep', '2'] } } },
    volumeMounts: [
      { name: 'config', mountPath: '/etc/web' },
      { name: 'secret', mountPath: '/etc/secret', readOnly: true },
    ],
    resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '64Mi' } },
  }
  const volumes = [
    { name: 'config', configMap: { name: 'web' } },
    { name: 'secret', secret: { secretName: 'web' } },
  ]
  const items = [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web' }, data: { greeting: 'hello' } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'web' }, stringData: { password: 'open sesame' } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: { metadata: { labels }, spec: { containers: [container], volumes } },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { type: 'NodePort', selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    },
  ]
  return { apiVersion: 'v1', kind: 'List', items }
}

/** One pod, by default idle for an hour, that ends at once when told to. */
export function podManifest(name: string, container: object = {}): object {
  const idle = { name: 'main', image: 'coracle.test/busybox:1', command: ['sleep', '3600'] }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: { terminationGracePeriodSeconds: 0, containers: [{ ...idle, ...container }] },
  }
}
