/** Marks the picture in the API of a pod that a kubelet runs from a file. */
export const mirrorAnnotation = 'kubernetes.io/config.mirror'
export const tolerationsAnnotation = 'scheduler.alpha.kubernetes.io/tolerations'
export const deletionCostAnnotation = 'controller.kubernetes.io/pod-deletion-cost'

/** Older forms of fields of the security context: one of the pod, and one for each container by name. */
export const seccompPodAnnotation = 'seccomp.security.alpha.kubernetes.io/pod'
export const seccompContainerPrefix = 'container.seccomp.security.alpha.kubernetes.io/'
export const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/'

export const localhostPrefix = 'localhost/'
