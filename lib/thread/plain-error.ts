import * as errors from '../errors/index.js'
import { type ForelockError, isForelockError } from '../errors/index.js'

/** An error, as it can be sent: of its class only the name goes over. */
export interface PlainError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  /** of an error of forelock */
  readonly facts?: object
  /** of one of the system, or of a database */
  readonly code?: string
}

export function plainError(error: unknown): PlainError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: undefined }
  const { name, message, stack } = error
  const code = (error as { code?: unknown }).code
  return {
    name,
    message,
    stack,
    ...(isForelockError(error) && { facts: factsOf(error) }),
    ...(typeof code === 'string' && { code })
  }
}

/** Of a LoadError, the attempts hold errors again, of any kind. */
function factsOf({ facts }: ForelockError): object {
  return Object.fromEntries(
    Object.entries(facts).map(([name, fact]) => [name, name === 'attempts' ? [] : typeof fact === 'function' ? undefined : fact])
  )
}

export function errorOf({ name, message, stack, facts, code }: PlainError): Error {
  const known = facts === undefined ? undefined : (errors as unknown as Record<string, new (message: string, facts: object) => Error>)[name]
  const error =
    known === undefined ? Object.assign(new Error(message), code === undefined ? {} : { code }) : new known(message, facts as object)
  if (stack !== undefined) error.stack = stack
  return error
}
