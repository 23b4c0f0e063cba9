import { duration, refuse } from './checks.js'
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
  const given = { ...name(workflow, 'workflow'), ...name(tenant, 'tenant'), ...name(client, 'client') }
  const words = { ...defaults?.words, ...given }
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

function name(value: unknown, option: 'workflow' | 'tenant' | 'client'): { [K in typeof option]?: string } {
  if (value === undefined) return {}
  if (typeof value !== 'string' || value.length === 0 || value.length > NAME_MAX_UNITS) {
    throw refuse(option, `a string of 1 to ${NAME_MAX_UNITS} UTF-16 code units`, value)
  }
  return { [option]: value }
}
