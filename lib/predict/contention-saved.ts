import type { SavedPair } from './contention-map.js'
import type { SavedParty } from './contention-parties.js'

/** What a model of contention keeps. */
export interface SavedContention {
  model: number[][]
  blocks: number[][]
  holds: number[][]
  sums: { asked: number; collided: number; waited: number; waits: number }
  parties: SavedParty[]
  elements: [name: string, ...values: number[]][]
  pairs: SavedPair[]
}

const ELEMENT_VALUES = 5
const PARTY_VALUES = 4
const PAIR_NAMES = 3
const PAIR_VALUES = 4

export function packed(model: SavedContention): Uint8Array {
  return Buffer.from(JSON.stringify(model))
}

/** Undefined: it is not what {@link packed} gave. Of the weights only that they are numbers is looked at here. */
export function unpacked(bytes: Uint8Array): SavedContention | undefined {
  try {
    const read = JSON.parse(Buffer.from(bytes).toString()) as SavedContention
    const isSound =
      isListOf(read.model, isNumbers) &&
      isListOf(read.blocks, isNumbers) &&
      isListOf(read.holds, isCounts) &&
      isCounts([read.sums.asked, read.sums.collided, read.sums.waited, read.sums.waits]) &&
      isListOf(read.parties, isParty) &&
      isListOf(read.elements, one => isRow(one, 1, ELEMENT_VALUES)) &&
      isListOf(read.pairs, one => isRow(one, PAIR_NAMES, PAIR_VALUES)) &&
      read.pairs.length > 0
    return isSound ? read : undefined
  } catch {
    return undefined // no JSON: as damaged as any other
  }
}

function isListOf(value: unknown, is: (one: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(is)
}

function isNumbers(value: unknown): boolean {
  return isListOf(value, one => Number.isFinite(one))
}

function isCounts(value: unknown): boolean {
  return isListOf(value, one => Number.isFinite(one) && (one as number) >= 0)
}

function isRow(value: unknown, names: number, numbers: number): boolean {
  if (!Array.isArray(value) || value.length !== names + numbers) return false
  return value.slice(0, names).every(name => typeof name === 'string') && isNumbers(value.slice(names))
}

function isParty(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== PARTY_VALUES + 3) return false
  const [name, ...rest] = value as unknown[]
  return typeof name === 'string' && isCounts(rest.slice(0, PARTY_VALUES)) && rest.slice(PARTY_VALUES).every(isCounts)
}
