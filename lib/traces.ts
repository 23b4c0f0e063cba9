import { channel } from 'node:diagnostics_channel'
import type { Element } from './element.js'
import { type Ending, RequestBit } from './native/binding.js'
import type { RequestNames } from './request-names.js'

// Whoever publishes asks hasSubscribers first, so that nothing is made for nobody. Messages are of this environment only;
// gov.telemetry tells of all.

/** A request that has to wait. */
export const requestChannel = channel('forelock:request')
export const grantChannel = channel('forelock:grant')
/** A request that was not granted: at once, or when its wait ended. */
export const refusalChannel = channel('forelock:refusal')
/** A wait that its caller gave up, or that the governor's close ended. */
export const abortChannel = channel('forelock:abort')
export const endChannel = channel('forelock:end')

/** As far as it is told of. */
interface Granted {
  readonly name: string
  readonly mode: string
  readonly tier: string
  readonly token: bigint
}

interface Asked {
  readonly request: number
  readonly names: RequestNames | undefined
}

const OUTCOMES = ['success', 'ignored', 'dropped'] as const
const TIER_MASK = 3

function about(element: Element, request: number, names: RequestNames | undefined) {
  const { session, name } = element
  return {
    resource: name,
    kind: 'lock',
    mode: (request & RequestBit.Shared) === 0 ? 'exclusive' : 'shared',
    tier: session.tiers[request & TIER_MASK] ?? '',
    ...names?.words
  }
}

export function traceRequest(element: Element, terms: Asked): void {
  requestChannel.publish(about(element, terms.request, terms.names))
}

export function traceGrant(grant: Granted, names: RequestNames | undefined, waitedMs: number): void {
  const { name, mode, tier, token } = grant
  grantChannel.publish({ resource: name, kind: 'lock', mode, tier, token, waitedMs, ...names?.words })
}

/** @param reason `busy`, or the code of the error that the request is rejected with */
export function traceRefusal(element: Element, terms: Asked, reason: string, waitedMs: number): void {
  refusalChannel.publish({ ...about(element, terms.request, terms.names), reason, waitedMs })
}

export function traceAbort(element: Element, terms: Asked, waitedMs: number): void {
  abortChannel.publish({ ...about(element, terms.request, terms.names), waitedMs })
}

export function traceEnd(grant: Granted, ending: Ending): void {
  const { name, mode, tier, token } = grant
  endChannel.publish({ resource: name, kind: 'lock', mode, tier, token, outcome: OUTCOMES[ending] })
}
