import { CelCompileError } from '#lib/cel/cel-error.ts'
import { CelCheckError, checkCel } from '#lib/cel/check.ts'
import { estimateCost } from '#lib/cel/estimate-cost.ts'
import { isDynamic, isSimple, typeName } from '#lib/cel/types.ts'
import { kubernetesSignatures } from '../../cel/kubernetes-signatures.ts'
import { forbiddenField, invalidValue, tooLong } from '../../meta/field-errors.ts'
import { byteLengthOf } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import { maxExpressionBytes, maxExpressionCost } from './device-limits.ts'
import { deviceVariables } from './device-type.ts'

/** An expression that chooses devices: it must compile, answer yes or no, and not cost too much on any device. */
export function validateExpression(expression: string, path: string): FieldError[] {
  if (byteLengthOf(expression) > maxExpressionBytes) return [tooLong(path, maxExpressionBytes)]
  try {
    const checked = checkCel(expression, { variables: deviceVariables, signatures: kubernetesSignatures() })
    if (!isSimple(checked.type, 'bool') && !isDynamic(checked.type)) {
      const detail = `must evaluate to bool or the unknown type, not ${typeName(checked.type)}`
      return [invalidValue(path, expression, detail)]
    }
    const isDear = estimateCost(checked, deviceVariables) > maxExpressionCost
    return isDear ? [forbiddenField(path, 'too complex, exceeds cost limit')] : []
  } catch (error) {
    if (!(error instanceof CelCompileError) && !(error instanceof CelCheckError)) throw error
    return [invalidValue(path, expression, `compilation failed: ${error.message}`)]
  }
}
