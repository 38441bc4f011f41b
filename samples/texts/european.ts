/** Invented business documents in German, French, Spanish, Greek and Russian. Every name in them is fictional. */
import type { Part } from './part.ts';

export const MIETVERTRAG: readonly Part[] = [
  ['title', 'Zusammenfassung des Mietvertrags'],
  ['text', 'Musterwohnung im Beispielweg 7, drei Zimmer, 78 Quadratmeter. Mietbeginn ist der 1. Oktober 2031.'],
  ['heading', 'Kosten'],
  [
    'table',
    [
      ['Posten', 'Betrag'],
      ['Kaltmiete', '840,00 EUR'],
      ['Heizkosten, Vorauszahlung', '95,00 EUR'],
      ['Übrige Betriebskosten', '110,00 EUR'],
      ['Stellplatz', '45,00 EUR'],
    ],
  ],
  ['text', 'Die Kaution beträgt drei Kaltmieten und wird auf ein Sparbuch eingezahlt.'],
  ['page'],
  ['heading', 'Pflichten'],
  [
    'list',
    [
      'Die Kündigungsfrist beträgt drei Monate zum Monatsende.',
      'Kleinreparaturen bis 100 Euro trägt der Mieter, höchstens jedoch 300 Euro im Jahr.',
      'Das Treppenhaus wird im wöchentlichen Wechsel gereinigt.',
      'Gegrillt wird nur im Hof und nicht nach 22 Uhr.',
    ],
  ],
];

export const ARBEITSANWEISUNG: readonly Part[] = [
  ['title', 'Arbeitsanweisung: Rührwerk reinigen'],
  ['text', 'Musterwerk, Halle 2. Gültig ab 3. Februar 2031, ersetzt die Fassung vom Vorjahr.'],
  [
    'list',
    [
      'Hauptschalter ausschalten und mit dem eigenen Schloss gegen Wiedereinschalten sichern.',
      'Schutzhandschuhe und Schutzbrille anlegen.',
      'Das Rührwerk mit warmem Wasser spülen, bis das Spülwasser klar abläuft.',
      'Die Dichtung auf Risse prüfen; eine rissige Dichtung sofort ersetzen.',
    ],
  ],
  ['heading', 'Störungen'],
  ['text', 'Läuft das Rührwerk nach der Reinigung unrund, wird es stillgesetzt und die Schlosserei verständigt.'],
];

export const WARTUNG: readonly Part[] = [
  ['title', 'Wartungsprotokoll Aufzug 4'],
  ['text', 'Prüfer: M. Mustermann. Gebäude: Beispielhaus, Südflügel. Datum: 12.08.2031.'],
  ['text', 'Tragseile geprüft, kein Drahtbruch. Türschließer nachgestellt, die Tür schließt wieder geräuschlos.'],
  ['text', 'Notruf ausgelöst und Rückruf erhalten nach 18 Sekunden. Die Beleuchtung der Kabine wurde erneuert.'],
  ['text', 'Preis der Leuchte: 64,50 €. Nächste Prüfung fällig in sechs Monaten. Größere Mängel: keine.'],
];

export const PROCES_VERBAL: readonly Part[] = [
  ['title', 'Procès-verbal de réception des travaux'],
  ['text', "Chantier : école de l'Exemple, réfection de la toiture. Réunion du 21 novembre 2031 à neuf heures."],
  [
    'text',
    "Les travaux ont été achevés le 14 novembre, soit trois jours avant la date prévue. L'étanchéité a été vérifiée par arrosage pendant deux heures sans que la moindre fuite n'apparaisse.",
  ],
  ['heading', 'Réserves'],
  [
    'list',
    [
      'Une gouttière du côté nord est à refixer avant la fin du mois.',
      'Les gravats doivent être enlevés de la cour de récréation.',
      "Le carnet d'entretien reste à remettre en deux exemplaires.",
    ],
  ],
  ['text', 'La garantie décennale commence à courir à la date du présent procès-verbal.'],
];

export const HORAIRES: readonly Part[] = [
  ['title', 'Horaires de la bibliothèque'],
  ['text', "La bibliothèque de l'Exemple est ouverte toute l'année, sauf pendant la première semaine d'août."],
  [
    'table',
    [
      ['Jour', 'Matin', 'Après-midi'],
      ['Mardi', 'fermé', '14 h à 19 h'],
      ['Mercredi', '10 h à 12 h', '14 h à 18 h'],
      ['Samedi', '10 h à 13 h', 'fermé'],
    ],
  ],
  [
    'text',
    "L'inscription coûte 12 € par an ; elle est gratuite pour les élèves. Une carte perdue est remplacée pour 3 €.",
  ],
];

export const SEGURIDAD: readonly Part[] = [
  ['title', 'Ficha de seguridad'],
  ['text', 'Producto: desengrasante Ejemplo D-40. Fabricante ficticio: Químicas del Ejemplo.'],
  ['heading', 'Primeros auxilios'],
  [
    'list',
    [
      'Ojos: enjuagar con abundante agua durante quince minutos y acudir al médico.',
      'Piel: lavar con agua y jabón; quitarse la ropa manchada.',
      'Ingestión: no provocar el vómito. Beber un vaso de agua.',
    ],
  ],
  ['heading', 'Almacenamiento'],
  [
    'text',
    'Guardar en un lugar fresco y bien ventilado, lejos de los niños y de cualquier llama. No mezclar con lejía.',
  ],
];

export const COCINA: readonly Part[] = [
  ['title', 'Notas para la cocina'],
  ['text', 'El lunes llegan 30 kilos de patatas y 12 cajas de tomate. El pescado viene el martes antes de las siete.'],
  [
    'text',
    'La cámara pequeña hace ruido: el técnico pasa mañana por la tarde. Mientras tanto, la nata va en la grande.',
  ],
  [
    'text',
    'Menú sin gluten para la mesa nueve: cuidado con la salsa, ¡lleva harina! Postre de la casa: arroz con leche.',
  ],
];

export const GREEK: readonly Part[] = [
  ['title', 'Σύμβαση συντήρησης'],
  [
    'text',
    'Μεταξύ του Δημοτικού Θεάτρου Παραδείγματος και της εταιρείας Υπόδειγμα Τεχνική. Ισχύει από 1 Ιανουαρίου 2031.',
  ],
  ['heading', 'Αντικείμενο'],
  [
    'text',
    'Η εταιρεία αναλαμβάνει τη συντήρηση του φωτισμού της σκηνής δύο φορές τον χρόνο, την άνοιξη και το φθινόπωρο.',
  ],
  [
    'list',
    [
      'Έλεγχος όλων των καλωδίων και των ασφαλειών.',
      'Καθαρισμός των προβολέων και αντικατάσταση των λαμπτήρων.',
      'Γραπτή αναφορά μέσα σε δέκα ημέρες.',
    ],
  ],
  ['text', 'Σε περίπτωση βλάβης ο τεχνικός έρχεται εντός τεσσάρων ωρών, και τις αργίες.'],
];

export const RUSSIAN: readonly Part[] = [
  ['title', 'Протокол совещания'],
  ['text', 'Учебный центр «Пример», 19 марта 2031 года. Присутствовали: А. Образцов, Е. Примерова.'],
  ['heading', 'Решили'],
  [
    'list',
    [
      'Перенести ремонт лаборатории на летние каникулы.',
      'Закупить двадцать новых микроскопов до первого сентября.',
      'Проверить пожарную сигнализацию во всех учебных классах.',
    ],
  ],
  [
    'table',
    [
      ['Поручение', 'Ответственный', 'Срок'],
      ['Смета на ремонт', 'Образцов', '2 апреля'],
      ['Список оборудования', 'Примерова', '9 апреля'],
    ],
  ],
];

export const RUSSIAN_NOTICE: readonly Part[] = [
  ['title', 'Объявление для жильцов'],
  ['text', 'Уважаемые жильцы! В четверг с девяти до шестнадцати часов в доме не будет горячей воды.'],
  ['text', 'Просим закрыть краны и не оставлять без присмотра стиральные машины. Лифт работает как обычно.'],
  ['text', 'По всем вопросам обращайтесь в управляющую компанию «Образец», второй подъезд, первый этаж.'],
];
