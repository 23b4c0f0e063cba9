import { refuse } from './checks.js'
import type { NameIds } from './native/name-ids.js'

/** On whose behalf a request is made, by the numbers of the names and in words. */
export interface RequestNames {
  readonly workflow: number
  readonly tenant: number
  readonly client: number
  readonly words: { readonly workflow?: string; readonly tenant?: string; readonly client?: string }
}

const NAME_MAX_UNITS = 4096

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
  defaults: RequestNames | undefined
): RequestNames {
  const given = { ...name(workflow, 'workflow'), ...name(tenant, 'tenant'), ...name(client, 'client') }
  const words = { ...defaults?.words, ...given }
  return { workflow: ids.of(words.workflow), tenant: ids.of(words.tenant), client: ids.of(words.client), words }
}

function name(value: unknown, option: 'workflow' | 'tenant' | 'client'): { [K in typeof option]?: string } {
  if (value === undefined) return {}
  if (typeof value !== 'string' || value.length === 0 || value.length > NAME_MAX_UNITS) {
    throw refuse(option, `a string of 1 to ${NAME_MAX_UNITS} UTF-16 code units`, value)
  }
  return { [option]: value }
}
