/** Marks a list whose items say their own `apiVersion` and `kind`, as those of custom resources do. Never encoded. */
export const typedItems: unique symbol = Symbol('typedItems')
