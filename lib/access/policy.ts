import { onlyKnown, optionsObject, refuse } from '../checks.js'
import { type RawTable, TABLE_NAMES, TABLES, type TableName } from '../history/rows.js'

/** What can be asked of a history. */
export const ACTIONS = ['summaries', 'exact', 'select', 'sql', 'append', 'prune', 'forget', 'export', 'import', 'audit'] as const
export type AccessAction = (typeof ACTIONS)[number]

/** What one role may do. */
export interface Permission {
  /**
   * `summaries`: questions to the roll-ups, which know no single run. `exact`: quantiles of the raw rows. `select`: rows of the tables below.
   * `sql`: any SQL, of all tables and columns. The rest: the calls of that name; `audit`: rows of the audit.
   */
  readonly may: readonly AccessAction[]
  /** tables that may be selected from; default all but the audit */
  readonly tables?: readonly RawTable[] | undefined
  /** columns that are left out of what is selected; they cannot be asked about either */
  readonly hidden?: readonly string[] | undefined
  /** the one tenant whose rows, and roll-ups, may be read; default all */
  readonly tenant?: string | undefined
}

/** What each role may do. */
export type Policy = Readonly<Record<string, Permission>>

/** `viewer`: how things go, but no single run, and not by tenant. `operator`: rows too, but not whose they are. `admin`: everything. */
export const DEFAULT_POLICY: Policy = {
  viewer: { may: ['summaries'], hidden: ['input', 'tenant', 'client'] },
  operator: { may: ['summaries', 'exact', 'select', 'prune'], hidden: ['input', 'tenant', 'client'] },
  admin: { may: ACTIONS }
}

/** A role as the door goes by it. */
export interface Rights {
  readonly role: string
  readonly may: ReadonlySet<AccessAction>
  readonly tables: ReadonlySet<TableName>
  readonly hidden: ReadonlySet<string>
  readonly tenant: string | undefined
}

/** @throws ArgumentError */
export function rightsOf(policy: unknown, role: unknown): Rights {
  const given = (optionsObject(policy, 'policy') ?? DEFAULT_POLICY) as Record<string, unknown>
  if (typeof role !== 'string' || !Object.hasOwn(given, role)) throw refuse('as', `one of ${Object.keys(given).join(', ')}`, role)
  const permission = optionsObject(given[role], `policy.${role}`)
  if (permission === undefined) throw refuse(`policy.${role}`, 'an object', given[role])
  onlyKnown(permission, ['may', 'tables', 'hidden', 'tenant'], `policy.${role}`)
  const { may, tables, hidden = [], tenant } = permission as { [K in keyof Permission]: unknown }
  if (tenant !== undefined && typeof tenant !== 'string') throw refuse(`policy.${role}.tenant`, 'a string', tenant)
  return {
    role,
    may: new Set(listed(may, ACTIONS, `policy.${role}.may`)),
    tables: new Set(
      tables === undefined ? TABLE_NAMES.filter(name => name !== 'audit') : listed(tables, TABLE_NAMES, `policy.${role}.tables`)
    ),
    hidden: new Set(listed(hidden, COLUMNS, `policy.${role}.hidden`)),
    tenant
  }
}

const COLUMNS: readonly string[] = [...new Set(TABLE_NAMES.flatMap(name => Object.keys(TABLES[name].columns)))]

function listed<T extends string>(value: unknown, known: readonly T[], option: string): readonly T[] {
  const list = Array.isArray(value) ? value : undefined
  const wrong = list?.find(one => !known.includes(one as T))
  if (list === undefined || wrong !== undefined) throw refuse(option, `an array of ${known.join(', ')}`, list === undefined ? value : wrong)
  return list as T[]
}
