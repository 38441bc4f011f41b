/** Invented business documents in English. Every name in them is fictional. */
import type { Part } from './part.ts';

export const INVOICE: readonly Part[] = [
  ['title', 'Invoice 2031-0417'],
  ['text', 'Example Paper Supplies, 12 Sample Street, Exampleton'],
  ['text', 'Bill to: Example Clinic, Purchasing, 4 Placeholder Road, Exampleton'],
  ['text', 'Invoice date 14 March 2031. Payable within 30 days, by 13 April 2031.'],
  [
    'table',
    [
      ['Item', 'Quantity', 'Unit price', 'Amount'],
      ['Printer paper A4, 80 g', '40 boxes', '18.50', '740.00'],
      ['Thermal labels 57 mm', '120 rolls', '2.10', '252.00'],
      ['Archive boxes, grey', '25', '3.40', '85.00'],
      ['Delivery to the third floor', '1', '35.00', '35.00'],
      ['Total without tax', '', '', '1,112.00'],
      ['Tax 20 %', '', '', '222.40'],
      ['Total', '', '', '1,334.40'],
    ],
  ],
  ['text', 'Please quote the purchase order EX-77120 with your payment.'],
  ['page'],
  ['heading', 'Terms of delivery'],
  [
    'text',
    'Goods remain the property of Example Paper Supplies until they are paid in full. Damage in transit has to be reported within five working days, with a photograph of the carton and of the delivery note.',
  ],
  [
    'text',
    'For late payments we charge interest of four per cent a year above the base rate. Unopened boxes are taken back for fourteen days; the cost of collection is deducted from the credit note.',
  ],
];

export const DISCHARGE: readonly Part[] = [
  ['title', 'Discharge instructions'],
  ['text', 'Example Clinic, Ward 5 South. Patient: Sample, Alex. Admitted 2 May 2031, discharged 6 May 2031.'],
  ['heading', 'What happened'],
  [
    'text',
    'You were treated for a broken wrist on the right side. The bones were set under local anaesthesia and the wrist was put in a plaster cast. The picture taken on the day after showed that the bones stand well.',
  ],
  ['heading', 'At home'],
  [
    'list',
    [
      'Keep your hand above the height of your heart for the first three days.',
      'Move your fingers for five minutes every hour while you are awake.',
      'Keep the cast dry: cover it with a plastic bag in the shower.',
      'Take one tablet of paracetamol 500 mg up to four times a day if it hurts.',
    ],
  ],
  ['page'],
  ['heading', 'When to call us at once'],
  [
    'list',
    [
      'Your fingers turn blue, cold or numb.',
      'The pain grows in spite of the tablets.',
      'The cast is loose, broken or smells.',
      'You have a temperature above 38.5 degrees.',
    ],
  ],
  ['text', 'The ward answers day and night under extension 5501.'],
  ['page'],
  ['heading', 'Follow-up'],
  [
    'text',
    'The plaster cast is removed after five weeks, on 10 June 2031 at 9.30 in the outpatient department. Bring this letter and your insurance card.',
  ],
  [
    'text',
    'You are not able to drive or to work with machines until then. A certificate for your employer is enclosed.',
  ],
];

export const LEASE: readonly Part[] = [
  ['title', 'Summary of a commercial lease'],
  ['text', 'Prepared for the board of Example Bakery Cooperative. This summary does not replace the lease.'],
  ['heading', 'Premises and term'],
  [
    'text',
    'Ground floor of 8 Specimen Square, 214 square metres, with the cellar and two parking spaces in the yard. The term is seven years from 1 September 2031, with one option to extend it by five years, to be exercised nine months before the end.',
  ],
  ['heading', 'Rent'],
  [
    'text',
    'The base rent is 3,950 a month, due on the third working day. It follows the consumer price index once the index has moved by more than five points. Heating, water and the cleaning of the stairs are paid by advance instalments of 610 and settled once a year.',
  ],
  ['page'],
  ['heading', 'Duties worth remembering'],
  [
    'list',
    [
      'The tenant repairs everything inside the walls up to 400 for a single case and 2,000 a year.',
      'The oven may be used from 3 in the morning; the delivery ramp not before 5.',
      'A sublet needs consent, which may be refused for good reason only.',
      'The deposit is three months of base rent, held in a blocked account.',
    ],
  ],
  ['heading', 'Risks'],
  [
    'text',
    'The landlord may end the lease early if the building is demolished, with eighteen months of notice and a compensation of six months of rent. We advise to ask for twelve.',
  ],
];

export const TRAVEL_POLICY: readonly Part[] = [
  ['title', 'Travel policy'],
  [
    'text',
    'Example Logistics, valid from 1 January 2031. Printing and copying of this file are restricted; reading it is not.',
  ],
  [
    'text',
    'Book the train for journeys under four hours. A flight needs the approval of your line manager before it is booked. Receipts are handed in within ten days of the return, as photographs through the expenses form.',
  ],
  [
    'text',
    'A hotel may cost up to 140 a night, breakfast included. The daily allowance is 32, or 16 on days of departure and return. Tips are not reimbursed, and lost umbrellas are not luggage.',
  ],
];

export const RUNBOOK: readonly Part[] = [
  ['title', 'Runbook: the primary database does not answer'],
  ['text', 'For the person on call. Read all of it once before you start; it takes two minutes.'],
  ['heading', 'Check that it is true'],
  [
    'code',
    'pg_isready --host=primary.db.example --timeout=3\npsql --host=primary.db.example -c "select pg_is_in_recovery()"',
  ],
  ['text', 'If both answer, the alert is stale: look at the network between the workers and the database instead.'],
  ['heading', 'Promote the standby'],
  [
    'list',
    [
      'Fence the old primary first: switch its power off at the rack. Two primaries are worse than none.',
      'Run `pg_ctl promote` on the standby with the smallest replay lag.',
      'Point the name `primary.db.example` at it. The record lives for thirty seconds.',
      'Watch `documents_unfinished` fall. It should move within two minutes.',
    ],
  ],
  [
    'table',
    [
      ['What you see', 'What it means', 'What to do'],
      ['replay lag under 1 s', 'nothing is lost', 'promote'],
      ['replay lag of minutes', 'recent uploads are lost', 'call the database team first'],
    ],
  ],
  ['heading', 'Afterwards'],
  [
    'text',
    'Rebuild the old primary as a standby before the next night. Write the times of each step into the incident.',
  ],
];

export const MINUTES: readonly Part[] = [
  ['title', 'Minutes of the steering meeting'],
  [
    'text',
    'Example Library, reading room, 11 February 2031, 10.00 to 11.15. Chair: R. Sample. Minutes: T. Placeholder.',
  ],
  ['heading', 'Decisions'],
  [
    'list',
    [
      'The new catalogue goes live on 1 July, with the old one readable until the end of the year.',
      'Returned books are quarantined no longer.',
      'The mobile library visits the harbour district every second Thursday.',
    ],
  ],
  ['heading', 'Open items'],
  [
    'table',
    [
      ['Item', 'Owner', 'Due'],
      ['Quotation for twelve barcode readers', 'Purchasing', '25 February 2031'],
      ['Data protection notice for the catalogue', 'Legal', '4 March 2031'],
      ['Opening hours in the summer', 'Front desk', '18 March 2031'],
    ],
  ],
  ['text', 'Next meeting: 11 March 2031, same place.'],
];

export const PRODUCT_PAGE: readonly Part[] = [
  ['title', 'Example Kettle K2'],
  ['text', 'A kettle of 1.7 litres with a thermostat that holds any temperature between 40 and 100 degrees.'],
  ['heading', 'In the box'],
  ['list', ['Kettle with lid', 'Base with a cord of 75 cm', 'Limescale filter, washable']],
  ['heading', 'Technical data'],
  [
    'table',
    [
      ['Property', 'Value'],
      ['Power', '2200 W'],
      ['Weight', '1.1 kg'],
      ['Guarantee', 'three years'],
    ],
  ],
  ['text', 'Descale it once a month with citric acid, never with vinegar: vinegar attacks the gasket.'],
];

export const HANDOVER: readonly Part[] = [
  ['title', 'Shift handover, night to early'],
  [
    'text',
    'Line 3 stood from 02.40 to 03.25: the photo cell of the palletiser was dusty again. Cleaned, no parts used.',
  ],
  ['text', 'Tank B is at 41 per cent. The lorry with glucose comes at 7, gate 2; the driver knows the way.'],
  ['text', 'Forklift 6 pulls to the left when braking. It is locked and the key is with the foreman.'],
  ['text', 'Temperature in cold store 2 was 3.9 degrees at midnight, 4.1 at four, 4.0 at six. All within limits.'],
];

export const REGISTRATION: readonly Part[] = [
  ['title', 'Registration for the evening course'],
  ['text', 'Example Community College. Fill in all the fields and return this form to the front desk.'],
];

/** Label and value of the form's fields. */
export const REGISTRATION_FIELDS: readonly (readonly [string, string])[] = [
  ['Name', 'Sample, Jordan'],
  ['Course', 'Bookbinding for beginners'],
  ['Remarks', 'Needs a seat near the window'],
];
