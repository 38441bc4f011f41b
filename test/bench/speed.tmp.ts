import { makeEvidenceModel, STEP } from '#slo/evidence-model.ts';
import { addEvidence, startEvidence } from '#slo/evidence.ts';
import { DEFAULT_ALERTING } from '#slo/objective.ts';
const model = makeEvidenceModel({budget:0.02 as never, alerting: DEFAULT_ALERTING});
const st=startEvidence(model); const N=518400; const g=Array.from({length:N},(_,i)=>5+(i*7919)%3), b=Array.from({length:N},(_,i)=>(i*7919)%97===0?1:0);
for(let k=0;k<2;k++){const t=performance.now(); for(let i=0;i<N;i++) addEvidence(model,st,{good:g[i]!,bad:b[i]!},STEP,i*5000 as never); console.log('ns/step',((performance.now()-t)*1e6/N).toFixed(0));}
