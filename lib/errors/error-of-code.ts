import type { AccessError } from './access-error.js'
import type { ArgumentError } from './argument-error.js'
import type { BusyError } from './busy-error.js'
import type { CapacityError } from './capacity-error.js'
import type { ClosedError } from './closed-error.js'
import type { ConfigError } from './config-error.js'
import type { CorruptError } from './corrupt-error.js'
import type { DeadlockError } from './deadlock-error.js'
import type { ExceedsError } from './exceeds-error.js'
import type { ForelockErrorCode } from './forelock-error.js'
import type { ForkedError } from './forked-error.js'
import type { FullError } from './full-error.js'
import type { InUseError } from './in-use-error.js'
import type { LoadError } from './load-error.js'
import type { MemoryError } from './memory-error.js'
import type { NameError } from './name-error.js'
import type { NotFoundError } from './not-found-error.js'
import type { OwnerError } from './owner-error.js'
import type { RecalledError } from './recalled-error.js'
import type { ReplayError } from './replay-error.js'
import type { RetiredError } from './retired-error.js'
import type { SchemaError } from './schema-error.js'
import type { SignatureError } from './signature-error.js'
import type { StolenError } from './stolen-error.js'
import type { TimeoutError } from './timeout-error.js'
import type { TraceError } from './trace-error.js'
import type { TtlError } from './ttl-error.js'
import type { UnderAllocatedError } from './under-allocated-error.js'
import type { UnsupportedError } from './unsupported-error.js'
import type { VersionError } from './version-error.js'

/** Each class of error there is. */
export type AnyForelockError =
  | AccessError
  | ArgumentError
  | BusyError
  | CapacityError
  | ClosedError
  | ConfigError
  | CorruptError
  | DeadlockError
  | ExceedsError
  | ForkedError
  | FullError
  | InUseError
  | LoadError
  | MemoryError
  | NameError
  | NotFoundError
  | OwnerError
  | RecalledError
  | ReplayError
  | RetiredError
  | SchemaError
  | SignatureError
  | StolenError
  | TimeoutError
  | TraceError
  | TtlError
  | UnderAllocatedError
  | UnsupportedError
  | VersionError

/** The class of the errors with a code: what `error.code` tells apart. */
export type ErrorOfCode<Code extends ForelockErrorCode> = Extract<AnyForelockError, { readonly code: Code }>
