/** Sizes that the API of dynamic resources allows (resource.k8s.io/v1). */

export const maxDomainLength = 63
export const maxIdLength = 32
/** Of the text of an attribute. */
export const maxTextLength = 64
/** Attributes and capacities of one device together. */
export const maxAttributes = 32

export const maxDevicesOfSlice = 128
/** Of a slice whose devices have taints or consume counters. */
export const maxDetailedDevicesOfSlice = 64

export const maxRequests = 32
export const maxConstraints = 32
export const maxConfigs = 32
export const maxSelectors = 32
/** Devices that one claim can hold. */
export const maxResults = 32
/** Alternatives of one request, in the order of preference. */
export const maxAlternatives = 8
/** Pods that can share a claim. */
export const maxConsumers = 256
export const maxOpaqueBytes = 10 * 1024

export const maxExpressionBytes = 10 * 1024
/** What an expression may cost at most on one device. */
export const maxExpressionCost = 1_000_000
