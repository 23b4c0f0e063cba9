import type { AccountTerm } from '../native/meter.js'
import type { UsageField } from './counters.js'

/** A file of the kernel's accounts: what is read of it, and how that is called. */
export interface MeteredFile {
  path: string
  terms: readonly AccountTerm[]
  methods: Partial<Record<UsageField, string>>
}
