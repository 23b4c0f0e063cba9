import { type EventBlock, eventRows } from './event-block.js'
import type { TableName } from './rows.js'

/** What is written at a time. @internal */
export interface Batch {
  readonly time: number
  readonly tables: ReadonlyMap<TableName, readonly Readonly<Record<string, unknown>>[]>
  /** more events, by column */
  readonly blocks: readonly EventBlock[]
}

/** The tables of a batch, for a store that takes no columns. @internal */
export function asRows({ tables, blocks }: Batch): Batch['tables'] {
  if (blocks.length === 0) return tables
  return new Map(tables).set('events', [...(tables.get('events') ?? []), ...blocks.flatMap(eventRows)])
}
