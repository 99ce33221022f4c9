import { actionSetKind } from './actionset.ts'
import { blueprintKind } from './blueprint.ts'
import { catalogImportKind } from './catalog-import.ts'
import type { Kind } from './kind.ts'
import { profileKind } from './profile.ts'
import { runKind } from './run.ts'
import { scheduleKind } from './schedule.ts'
import { verificationKind } from './verification.ts'

/** Every kind that we define, in the order in which their CRDs are applied. */
export const kinds: readonly Kind[] = [
  actionSetKind,
  blueprintKind,
  profileKind,
  runKind,
  scheduleKind,
  verificationKind,
  catalogImportKind,
]
