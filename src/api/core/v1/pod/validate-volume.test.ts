import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate } from '../../../kind-trial.case.ts'
import { short } from '../../../short-messages.case.ts'
import { pod } from './pod.ts'

const volumeCases: readonly (readonly [object, readonly string[]])[] = [
  [{ spec: { containers: [{ name: 'c', image: 'x:1' }], volumes: [{ name: 'v', projected: {} }] } }, []],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        volumes: [
          {
            name: 'v',
            projected: { sources: [{}, { secret: { name: '' }, configMap: { name: 'a' } }], defaultMode: 1000 },
          },
        ],
      },
    },
    [
      'spec.volumes[0].projected.defaultMode: Invalid value: 1000: must be a number between 0 and 0777 (octal), both inclusive',
      'spec.volumes[0].projected.sources[1].secret.name: Required value',
      'spec.volumes[0].projected.sources[1]: Forbidden: may not specify more than 1 volume type per source',
    ],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        volumes: [
          {
            name: 'v',
            projected: {
              sources: [
                { serviceAccountToken: { path: '', expirationSeconds: 5 } },
                {
                  downwardAPI: {
                    items: [
                      {
                        path: '/a',
                        fieldRef: { fieldPath: 'metadata.name' },
                        resourceFieldRef: { resource: 'limits.cpu' },
                      },
                    ],
                  },
                },
              ],
            },
          },
        ],
      },
    },
    [
      'spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes',
      'spec.volumes[0].projected.path: Required value',
      'spec.volumes[0].projected.sources[1].downwardAPI.path: Invalid value: "/a": must be a relative path',
      'spec.volumes[0].projected.sources[1].downwardAPI: Invalid value: "resource": fieldRef and resourceFieldRef can not be specified simultaneously',
      'spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set',
    ],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        volumes: [{ name: 'v', configMap: { name: 'a', items: [{ key: '', path: '../x', mode: 1000 }] } }],
      },
    },
    [
      'spec.volumes[0].configMap.items[0].key: Required value',
      `spec.volumes[0].configMap.items[0].path: Invalid value: "../x": must not contain '..'`,
      'spec.volumes[0].configMap.items[0].mode: Invalid value: 1000: must be a number between 0 and 0777 (octal), both inclusive',
    ],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        volumes: [
          {
            name: 'v',
            downwardAPI: {
              items: [
                { path: 'a' },
                { path: 'a', fieldRef: { fieldPath: 'spec.nodeName' } },
                { path: 'b', resourceFieldRef: { resource: 'limits.cpu' } },
              ],
            },
          },
        ],
      },
    },
    [
      'spec.volumes[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required',
      'spec.volumes[0].downwardAPI.fieldRef.fieldPath: Unsupported value: "spec.nodeName": supported values: "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"',
      'spec.volumes[0].downwardAPI.resourceFieldRef.containerName: Required value',
    ],
  ],
  [
    { spec: { containers: [{ name: 'c', image: 'x:1' }], volumes: [{ name: 'v', nfs: { server: '', path: 'a' } }] } },
    [
      'spec.volumes[0].nfs.server: Required value',
      'spec.volumes[0].nfs.path: Invalid value: "a": must be an absolute path',
    ],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        volumes: [{ name: 'v', iscsi: { targetPortal: '', iqn: 'bad', lun: 300 } }],
      },
    },
    [
      'spec.volumes[0].iscsi.targetPortal: Required value',
      'spec.volumes[0].iscsi.iqn: Invalid value: "bad": must be valid format starting with iqn, eui, or naa',
      'spec.volumes[0].iscsi.lun: Invalid value: 300: must be between 0 and 255, inclusive',
    ],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        volumes: [{ name: 'v', gitRepo: { repository: '', directory: '../x' } }],
      },
    },
    [
      'spec.volumes[0].gitRepo.repository: Required value',
      `spec.volumes[0].gitRepo.directory: Invalid value: "../x": must not contain '..'`,
    ],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        volumes: [{ name: 'v', persistentVolumeClaim: { claimName: '' } }],
      },
    },
    ['spec.volumes[0].persistentVolumeClaim.claimName: Required value'],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        volumes: [{ name: 'v', csi: { driver: 'A_', nodePublishSecretRef: { name: '' } } }],
      },
    },
    [
      'spec.volumes[0].csi.driver: Invalid value: "A_": (lowercase RFC 1123 subdomain)',
      'spec.volumes[0].csi.nodePublishSecretRef.name: Required value',
    ],
  ],
  [
    { spec: { containers: [{ name: 'c', image: 'x:1' }], volumes: [{ name: 'v', ephemeral: {} }] } },
    ['spec.volumes[0].ephemeral.volumeClaimTemplate: Required value'],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        volumes: [{ name: 'v', ephemeral: { volumeClaimTemplate: { spec: {} } } }],
      },
    },
    [
      'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required',
      'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value',
    ],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        volumes: [{ name: 'v', image: { reference: '', pullPolicy: 'X' } }],
      },
    },
    [
      'spec.volumes[0].image.reference: Required value',
      'spec.volumes[0].image.pullPolicy: Unsupported value: "X": supported values: "Always", "IfNotPresent", "Never"',
    ],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        volumes: [{ name: 'v', glusterfs: { endpoints: '', path: '' } }],
      },
    },
    ['spec.volumes[0].glusterfs.endpoints: Required value', 'spec.volumes[0].glusterfs.path: Required value'],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        volumes: [{ name: 'v', flexVolume: { driver: '', options: { 'kubernetes.io/a': 'b' } } }],
      },
    },
    [
      'spec.volumes[0].flexVolume.driver: Required value',
      'spec.volumes[0].flexVolume.options[kubernetes.io/a]: Invalid value: "kubernetes.io/a": kubernetes.io and k8s.io namespaces are reserved',
    ],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        volumes: [{ name: 'v', fc: { targetWWNs: ['a'], lun: 300, wwids: ['b'] } }],
      },
    },
    [
      'spec.volumes[0].fc.targetWWNs: Invalid value: ["a"]: targetWWNs and wwids can not be specified simultaneously',
      'spec.volumes[0].fc.lun: Invalid value: 300: must be between 0 and 255, inclusive',
    ],
  ],
  [
    { spec: { containers: [{ name: 'c', image: 'x:1' }], volumes: [{ name: 'v', rbd: { monitors: [], image: '' } }] } },
    ['spec.volumes[0].rbd.monitors: Required value', 'spec.volumes[0].rbd.image: Required value'],
  ],
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        volumes: [{ name: 'v', azureFile: { secretName: '', shareName: '' } }],
      },
    },
    ['spec.volumes[0].azureFile.secretName: Required value', 'spec.volumes[0].azureFile.shareName: Required value'],
  ],
  [
    { spec: { containers: [{ name: 'c', image: 'x:1' }], volumes: [{ name: 'v', hostPath: { path: '' } }] } },
    ['spec.volumes[0].hostPath.path: Required value'],
  ],
]

test('every kind of volume', () => {
  for (const [manifest, expected] of volumeCases) assert.deepEqual(short(tryCreate(pod, manifest).messages), expected)
})

const namesOfVolumesCases: readonly (readonly [object, readonly string[]])[] = [
  [
    {
      spec: {
        containers: [{ name: 'c', image: 'x:1' }],
        volumes: [
          { emptyDir: {} },
          { name: 'A', emptyDir: {} },
          { name: 'a', emptyDir: {} },
          { name: 'a', emptyDir: {} },
          { name: 'b' },
        ],
      },
    },
    [
      'spec.volumes[0].name: Required value',
      'spec.volumes[1].name: Invalid value: "A": (lowercase RFC 1123 label)',
      'spec.volumes[3].name: Duplicate value: "a"',
    ],
  ],
]

test('names of volumes', () => {
  for (const [manifest, expected] of namesOfVolumesCases)
    assert.deepEqual(short(tryCreate(pod, manifest).messages), expected)
})
