import type { Activity } from '../../../lib/foresight/activity.js'

/** A grant without a wait, unless said otherwise. */
export function activity(given: Partial<Activity> = {}): Activity {
  return {
    time: 0,
    event: 'grant',
    kind: 'lock',
    name: 'a',
    tier: 1,
    outcome: 'success',
    shared: false,
    workflow: undefined,
    tenant: undefined,
    client: 0,
    environment: 0,
    amount: 1,
    waited: 0,
    held: Number.NaN,
    ...given
  }
}

export const TIERS = ['background', 'standard', 'interactive', 'critical']
