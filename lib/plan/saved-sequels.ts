import { isNumber, isObject, sealValue, unsealValue } from '../predict/saved.js'
import { readTriggers } from '../predict/saved-triggers.js'
import type { WarmKind } from './warm-planner.js'

/** What saved sequels begin with. */
const MAGIC = 'forelock sequels 1\n'
/** Times within which what is raised is looked for, ms: of what comes every few seconds anyway, it shows ten times as soon in the shorter one. */
export const WITHIN_MS = [1_000, 5_000] as const
const KINDS: readonly unknown[] = ['lock', 'bucket', 'pool', 'queue', 'workflow'] satisfies WarmKind[]

/** Something that a workflow asks for at its beginning. */
export interface SavedAsk {
  readonly kind: WarmKind
  readonly name: string
  /** index */
  readonly tier: number
  readonly count: number
  readonly amounts: readonly number[]
}

export interface SavedWorkflow {
  readonly name: string
  /** beginnings that count */
  readonly begun: number
  readonly asks: readonly SavedAsk[]
}

/** What is known of which workflow raises which, as it is saved; each number is finite. */
export interface SavedSequels {
  /** beginnings that were looked at */
  readonly beginnings: number
  /** saved triggers, in base64, by the times within which they look */
  readonly triggers: readonly string[]
  /** those that came last are the last */
  readonly workflows: readonly SavedWorkflow[]
  /** how far pairs are to be believed */
  readonly trust: readonly { readonly from: string; readonly to: string; readonly expected: number; readonly came: number }[]
}

export function writeSequels(saved: SavedSequels): Uint8Array {
  return sealValue(MAGIC, saved)
}

/** What {@link writeSequels} wrote; undefined: it is damaged, of another version, or holds what no sequels have. @param tiers how many */
export function readSequels(bytes: Uint8Array, tiers: number): SavedSequels | undefined {
  const saved = unsealValue(MAGIC, bytes)
  return areSequels(saved, tiers) ? saved : undefined
}

function areSequels(saved: unknown, tiers: number): saved is SavedSequels {
  if (!isObject(saved)) return false
  const { beginnings, triggers, workflows, trust } = saved
  if (!isTally(beginnings) || ![triggers, workflows, trust].every(Array.isArray)) return false
  return (
    (triggers as unknown[]).length === WITHIN_MS.length &&
    (triggers as unknown[]).every((one, i) => typeof one === 'string' && readTriggers(bytesOf(one))?.within === WITHIN_MS[i]) &&
    (workflows as unknown[]).every(one => isWorkflow(one, tiers)) &&
    (trust as unknown[]).every(isTrust)
  )
}

/** Of what is in base64. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64'))
}

function isWorkflow(workflow: unknown, tiers: number): boolean {
  if (!isObject(workflow)) return false
  const { name, begun, asks } = workflow
  if (typeof name !== 'string' || !isTally(begun)) return false
  return Array.isArray(asks) && asks.every(one => isAsk(one, tiers))
}

function isAsk(ask: unknown, tiers: number): boolean {
  if (!isObject(ask)) return false
  const { kind, name, tier, count, amounts } = ask
  if (!KINDS.includes(kind) || typeof name !== 'string' || !isTally(count)) return false
  if (!Number.isInteger(tier) || !isTally(tier) || (tier as number) >= tiers) return false
  return Array.isArray(amounts) && amounts.every(isTally)
}

function isTrust(trust: unknown): boolean {
  if (!isObject(trust)) return false
  const { from, to, expected, came } = trust
  return typeof from === 'string' && typeof to === 'string' && isTally(expected) && isTally(came)
}

function isTally(value: unknown): boolean {
  return isNumber(value) && value >= 0
}
