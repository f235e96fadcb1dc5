/** Upstream's name: `kubectl get lease -n kube-system kube-controller-manager` shows who leads. */
export const managersLease = { namespace: 'kube-system', name: 'kube-controller-manager' }
