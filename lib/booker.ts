import type { Grant } from './grant.js'
import type { RequestNames } from './request-names.js'
import type { Session } from './session.js'

/** What can be booked to somebody's account. */
export type BookedKind = 'lock' | 'bucket' | 'pool'

/** Something that is held and can be given back. */
export interface Holding {
  readonly ended: boolean
  release(): boolean
}

/** What a request was granted: something held, or tokens; undefined, nothing. */
export type Booked = Holding | number | undefined

/**
 * Keeps account of the requests that are made within it: a run of a workflow. What says `{ within: run }` is made in its name and, unless it
 * says otherwise, in its tier; and the locks that the run holds enclose it.
 */
export abstract class Booker {
  /** @internal */
  abstract readonly session: Session
  /** @internal */
  abstract readonly requestNames: RequestNames
  /** @internal index of its tier */
  abstract readonly tierIndex: number
  /** @internal the locks that it holds */
  abstract heldGrants(): readonly Grant[]
  /** @internal A request was decided, after so many ms. */
  abstract book(kind: BookedKind, name: string, waitedMs: number, got: Booked): void
}

/** Books a request that is waited for, as it ends. */
export function booked<T>(
  booker: Booker | undefined,
  kind: BookedKind,
  name: string,
  granting: Promise<T>,
  what: (got: T) => Booked
): Promise<T> {
  if (booker === undefined) return granting
  const began = performance.now()
  return granting.then(
    got => {
      booker.book(kind, name, performance.now() - began, what(got))
      return got
    },
    error => {
      booker.book(kind, name, performance.now() - began, undefined)
      throw error
    }
  )
}
