/** With its style sheet, as one piece that is loaded when it is needed. */
import 'uplot/dist/uPlot.min.css';
import UPlot from 'uplot';

export { UPlot as default };
