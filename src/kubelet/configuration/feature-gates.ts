const on = `
  ContainerRestartRules CPUManagerPolicyBetaOptions CPUManagerPolicyOptions CustomCPUCFSQuotaPeriod
  DynamicResourceAllocation EnvFiles GracefulNodeShutdown GracefulNodeShutdownBasedOnPodPriority ImageMaximumGCAge
  ImageVolume InPlacePodVerticalScaling KubeletCrashLoopBackOffMax KubeletEnsureSecretPulledImages KubeletFineGrainedAuthz
  MemoryManager PodLevelResources PodLifecycleSleepAction PodReadyToStartContainersCondition ProcMountType
  RecursiveReadOnlyMounts RotateKubeletServerCertificate SidecarContainers SupplementalGroupsPolicy
  TopologyManagerPolicyBetaOptions TopologyManagerPolicyOptions UserNamespacesSupport`
const off = `
  KubeletInUserNamespace KubeletTracing LocalStorageCapacityIsolationFSQuotaMonitoring MemoryQoS NodeLogQuery QOSReserved
  ReduceDefaultCrashLoopBackOffDecay`

const states: ReadonlyMap<string, boolean> = new Map([
  ...names(on).map((name) => [name, true] as const),
  ...names(off).map((name) => [name, false] as const),
])

function names(text: string): readonly string[] {
  return text.trim().split(/\s+/)
}

/** Features of this kubelet cannot be switched: a gate may only be set to what is so. One sentence for each other one. */
export function featureGateErrors(gates: Readonly<Record<string, boolean>> = {}): readonly string[] {
  return Object.entries(gates).flatMap(([name, value]) => {
    const state = states.get(name)
    if (state === undefined)
      return [`featureGates: "${name}" is not supported by this kubelet: no feature is switched by it`]
    return state === value ? [] : [`cannot set feature gate ${name} to ${value}, feature is locked to ${state}`]
  })
}
