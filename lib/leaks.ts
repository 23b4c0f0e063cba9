import { channel } from 'node:diagnostics_channel'
import type { Element } from './element.js'
import type { LeakReport } from './leak-report.js'

/** Reports are published here; while anyone is subscribed, grants are tracked. */
export const leakChannel = channel('forelock:leak')

interface Tracked {
  readonly element: Element
  readonly seq: number
  readonly shared: boolean
  readonly tier: number
}

/**
 * Tracking costs a few hundred nanoseconds a grant, many times the grant itself; so it is done only where `reportLeaks` is
 * set or the channel has a subscriber.
 */
const registry = new FinalizationRegistry<Tracked>(({ element, seq, shared, tier }) => {
  const { session, name } = element
  const report: LeakReport = {
    resource: name,
    token: element.token(seq),
    mode: shared ? 'shared' : 'exclusive',
    tier: session.tiers[tier] ?? ''
  }
  leakChannel.publish(report)
  session.onLeak(report)
})

export function tracks(element: Element): boolean {
  return leakChannel.hasSubscribers || element.session.reportsLeaks
}

export function track(grant: object, tracked: Tracked): void {
  registry.register(grant, tracked, grant)
}

export function untrack(grant: object): void {
  registry.unregister(grant)
}
