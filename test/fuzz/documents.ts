/** Objects to begin with: what clients send every day. */
const metadata = { name: 'a', labels: { app: 'a' }, annotations: { note: 'x' } }
const template = {
  metadata: { labels: { app: 'a' } },
  spec: {
    containers: [
      {
        name: 'c',
        image: 'x:1',
        args: ['a', 'b'],
        env: [{ name: 'E', value: 'v' }],
        ports: [{ containerPort: 80, protocol: 'TCP' }],
        resources: { limits: { cpu: '100m', memory: '64Mi' } },
        readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 5 },
        volumeMounts: [{ name: 'v', mountPath: '/v' }],
      },
    ],
    volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Gi' } }],
    tolerations: [{ key: 'k', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }],
  },
}

const jobTemplate = { ...template, spec: { ...template.spec, restartPolicy: 'Never' } }

export interface Sample {
  readonly path: string
  readonly object: object
}

export const samples: readonly Sample[] = [
  {
    path: '/apis/apps/v1/namespaces/default/deployments',
    object: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: { replicas: 2, selector: { matchLabels: { app: 'a' } }, strategy: { type: 'Recreate' }, template },
    },
  },
  { path: '/api/v1/namespaces/default/pods', object: { apiVersion: 'v1', kind: 'Pod', metadata, spec: template.spec } },
  {
    path: '/api/v1/namespaces/default/services',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: { app: 'a' }, type: 'NodePort', ports: [{ name: 'h', port: 80, targetPort: 'http' }] },
    },
  },
  {
    path: '/api/v1/namespaces/default/configmaps',
    object: { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { k: 'v' }, binaryData: { b: 'AAEC' } },
  },
  {
    path: '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies',
    object: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata,
      spec: {
        podSelector: { matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] },
        ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }], ports: [{ port: 80 }] }],
      },
    },
  },
  {
    path: '/apis/batch/v1/namespaces/default/cronjobs',
    object: {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata,
      spec: { schedule: '*/5 * * * *', timeZone: 'Europe/Berlin', jobTemplate: { spec: { template: jobTemplate } } },
    },
  },
]
