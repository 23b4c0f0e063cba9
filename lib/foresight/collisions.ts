import { duration, onlyKnown, optionsObject, refuse, text, tierIndex } from '../checks.js'
import type { ContentionEvent, ContentionMode, ContentionProfile } from '../predict/contention-events.js'
import type { Activity } from './activity.js'

/** A lock that is to be asked for, by its name or by what its name begins with and a `*`. */
export interface CollisionNeed {
  readonly lock: string
  /** default `exclusive` */
  readonly mode?: ContentionMode | undefined
}

/** A request that somebody thinks of making. */
export interface CollisionProfile {
  /** taken one after the other */
  readonly needs: readonly CollisionNeed[]
  /** name of the tier; default the lowest */
  readonly tier?: string | undefined
  readonly workflow?: string | undefined
  readonly tenant?: string | undefined
  /** ms from now until it will be made; default 0 */
  readonly in?: number | undefined
  /** ms that the locks will be held; default: as learnt */
  readonly duration?: number | undefined
}

const EVENTS: readonly string[] = ['request', 'grant', 'refusal', 'abort', 'end', 'reclaim']

/** Of what happened to a lock; undefined: it is about something else. */
export function collisionEvent(activity: Activity): ContentionEvent | undefined {
  const { event, kind, name, shared, time, workflow, tenant, tier, waited, held } = activity
  if (kind !== 'lock' || !EVENTS.includes(event)) return undefined
  return {
    event: event as ContentionEvent['event'],
    element: name,
    time,
    mode: shared ? 'shared' : 'exclusive',
    workflow,
    tenant,
    tier,
    waited,
    held: Number.isNaN(held) ? undefined : held
  }
}

/** @throws ArgumentError */
export function readProfile(profile: unknown, tiers: readonly string[], now: number): ContentionProfile {
  const given = optionsObject(profile, 'profile')
  if (given === undefined) throw refuse('profile', 'an object', profile)
  onlyKnown(given, ['needs', 'tier', 'workflow', 'tenant', 'in', 'duration'], 'contention()')
  const { needs, tier, workflow, tenant, in: later = 0, duration: held } = given as { [K in keyof CollisionProfile]: unknown }
  if (!Array.isArray(needs)) throw refuse('needs', 'an array of locks', needs)
  const ahead = duration(later, 'in')
  if (ahead === Number.POSITIVE_INFINITY) throw refuse('in', 'ms until a time that comes', later)
  return {
    needs: needs.map(readNeed),
    tier: tier === undefined ? 0 : tierIndex(tier, tiers, 'tier'),
    workflow: workflow === undefined ? undefined : text(workflow, 'workflow'),
    tenant: tenant === undefined ? undefined : text(tenant, 'tenant'),
    now,
    at: now + ahead,
    duration: held === undefined ? undefined : duration(held, 'duration')
  }
}

function readNeed(need: unknown): ContentionProfile['needs'][number] {
  const given = optionsObject(need, 'needs')
  if (given === undefined) throw refuse('needs', 'an array of objects', need)
  onlyKnown(given, ['lock', 'mode'], 'a need')
  const { lock, mode } = given as { lock?: unknown; mode?: unknown }
  const name = text(lock, 'lock')
  return { ...(name.endsWith('*') ? { pattern: name } : { element: name }), mode: mode as ContentionMode | undefined }
}
