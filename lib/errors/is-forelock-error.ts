import type { ErrorOfCode } from './error-of-code.js'
import { type ForelockError, type ForelockErrorCode, marker } from './forelock-error.js'

/**
 * Whether a value is an error of forelock, of any copy of the package in this process; with a code, of that one, whose facts are then known to the compiler.
 * Use it instead of `instanceof` where ESM and CommonJS copies may meet.
 */
export function isForelockError<Code extends ForelockErrorCode>(value: unknown, code: Code): value is ErrorOfCode<Code>
export function isForelockError(value: unknown, code?: ForelockErrorCode): value is ForelockError
export function isForelockError(value: unknown, code?: ForelockErrorCode): boolean {
  if (typeof value !== 'object' || value === null || (value as { [marker]?: unknown })[marker] !== true) return false
  return code === undefined || (value as ForelockError).code === code
}
