import { type ForelockError, type ForelockErrorCode, marker } from './forelock-error.js'

/**
 * Whether a value is an error of forelock, of any copy of the package in this process; with a code, of that one.
 * Use it instead of `instanceof` where ESM and CommonJS copies may meet.
 */
export function isForelockError(value: unknown, code?: ForelockErrorCode): value is ForelockError {
  if (typeof value !== 'object' || value === null || (value as { [marker]?: unknown })[marker] !== true) return false
  return code === undefined || (value as ForelockError).code === code
}
