/**
 * A value on the bus: numbers up to 32 bits and doubles as `number`, 64 bits as `bigint`, arrays, structures and entries
 * of dictionaries as arrays.
 */
export type DbusValue = string | number | bigint | boolean | readonly DbusValue[] | DbusVariant

/** A value that brings its type. */
export interface DbusVariant {
  readonly signature: string
  readonly value: DbusValue
}
