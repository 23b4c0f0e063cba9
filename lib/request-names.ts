import { duration, refuse } from './checks.js'
import { At } from './native/binding.js'
import type { NameIds } from './native/name-ids.js'

/** On whose behalf a request is made, and for how long, by the numbers of the names and in words. */
export interface RequestNames {
  readonly workflow: number
  readonly tenant: number
  readonly client: number
  /** whole ms that it is expected to be held; 0 unknown */
  readonly hold: number
  readonly words: { readonly workflow?: string; readonly tenant?: string; readonly client?: string }
}

/** Who asks, where the terms say so. */
export function writeNames(scratch: Int32Array, names: RequestNames | undefined): void {
  if (names === undefined) return
  scratch[At.Workflow] = names.workflow
  scratch[At.Tenant] = names.tenant
  scratch[At.Client] = names.client
  scratch[At.Hold] = names.hold
}

const NAME_MAX_UNITS = 4096
/** A request says no more than this; one that holds longer holds long. */
const HOLD_MAX_MS = 65_535

/**
 * Reads the names of a request; one that it does not give is that of the defaults.
 *
 * @throws ArgumentError
 */
export function readNames(
  ids: NameIds,
  workflow: unknown,
  tenant: unknown,
  client: unknown,
  hold: unknown,
  defaults: RequestNames | undefined
): RequestNames {
  const words = { ...defaults?.words, ...word(workflow, 'workflow'), ...word(tenant, 'tenant'), ...word(client, 'client') }
  return {
    workflow: ids.of(words.workflow),
    tenant: ids.of(words.tenant),
    client: ids.of(words.client),
    hold: hold === undefined ? (defaults?.hold ?? 0) : readHold(hold),
    words
  }
}

function readHold(value: unknown): number {
  const ms = duration(value, 'hold')
  return Math.ceil(Math.min(ms, HOLD_MAX_MS))
}

function word(value: unknown, option: NameOption): { [K in NameOption]?: string } {
  const name = readName(value, option)
  return name === undefined ? {} : { [option]: name }
}

export type NameOption = 'workflow' | 'tenant' | 'client'

/** @throws ArgumentError */
export function readName(value: unknown, option: NameOption): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value.length === 0 || value.length > NAME_MAX_UNITS) {
    throw refuse(option, `a string of 1 to ${NAME_MAX_UNITS} UTF-16 code units`, value)
  }
  return value
}
