using System;
using System.Globalization;

namespace Callsheet.Wire
{
    /// <summary>Decimal text of doubles, as Python's orjson writes it, without allocating in the common case.</summary>
    internal static class Numbers
    {
        private const double ExactMicros = 1e9;
        private const long MaxExactInteger = 1L << 53;
        private const int MaxExactPower = 22;
        private const double SmallestNormal = 2.2250738585072014e-308;

        private static readonly double[] Powers =
        {
            1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
            1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
        };

        /// <summary>Writes the shortest text that reads back as <paramref name="value"/> (finite).</summary>
        /// <returns>Bytes written at <paramref name="at"/>; 25 are enough for any value.</returns>
        internal static int Format(double value, byte[] into, int at)
        {
            int start = at;
            if (value < 0 || (value == 0 && double.IsNegativeInfinity(1 / value)))
            {
                into[at++] = (byte)'-';
                value = -value;
            }
            // k / 1e6 with at most 15 digits names one double only, so trimmed it is the shortest text.
            if (value < ExactMicros)
            {
                long micros = (long)Math.Round(value * 1e6);
                if (micros / 1e6 == value && (micros == 0 || value >= 1e-5))
                {
                    at += Format(micros / 1000000, into, at);
                    return at + Fraction(micros % 1000000, into, at) - start;
                }
            }
            return at + Shortest(value, into, at) - start;
        }

        /// <summary>Writes an integer; 20 bytes are enough.</summary>
        internal static int Format(long value, byte[] into, int at)
        {
            int start = at;
            ulong rest = value < 0 ? (ulong)(-(value + 1)) + 1 : (ulong)value;
            if (value < 0)
            {
                into[at++] = (byte)'-';
            }
            int digits = 1;
            for (ulong left = rest / 10; left != 0; left /= 10)
            {
                digits++;
            }
            for (int i = digits - 1; i >= 0; i--)
            {
                into[at + i] = (byte)('0' + (int)(rest % 10));
                rest /= 10;
            }
            return at + digits - start;
        }

        /// <summary>Reads a JSON number that is known to be well formed.</summary>
        /// <returns>False if it is too great for a double.</returns>
        internal static bool TryParse(byte[] text, int start, int length, out double value)
        {
            long mantissa = 0;
            int power = 0;
            bool exact = true, negative = text[start] == '-', fraction = false;
            int end = start + length, at = negative ? start + 1 : start;
            for (; at < end && text[at] != 'e' && text[at] != 'E'; at++)
            {
                if (text[at] == '.')
                {
                    fraction = true;
                    continue;
                }
                mantissa = (mantissa * 10) + (text[at] - '0');
                power -= fraction ? 1 : 0;
                if (mantissa > MaxExactInteger)
                {
                    exact = false;
                    break;
                }
            }
            exact &= at == end && power >= -MaxExactPower;
            if (exact)
            {
                value = mantissa / Powers[-power];
                value = negative ? -value : value;
                return true;
            }
            string digits = System.Text.Encoding.ASCII.GetString(text, start, length);
            return double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out value)
                && !double.IsInfinity(value);
        }

        private static int Fraction(long micros, byte[] into, int at)
        {
            int start = at;
            into[at++] = (byte)'.';
            for (long unit = 100000; unit > 0; unit /= 10)
            {
                into[at++] = (byte)('0' + (int)(micros / unit));
                micros %= unit;
                if (micros == 0)
                {
                    break;
                }
            }
            return at - start;
        }

        private static int Shortest(double value, byte[] into, int at)
        {
            string text = null;
            for (int digits = value < SmallestNormal ? 1 : 15; digits <= 17; digits++)
            {
                text = value.ToString("E" + (digits - 1).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
                if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double back) && back == value)
                {
                    break;
                }
            }
            int e = text.IndexOf('E');
            int exponent = int.Parse(text.Substring(e + 1), CultureInfo.InvariantCulture);
            string mantissa = text.Substring(0, e).Replace(".", "").TrimEnd('0');
            string shown;
            if (exponent > 15 || exponent < -5)
            {
                string head = mantissa.Length == 1 ? mantissa : mantissa.Substring(0, 1) + "." + mantissa.Substring(1);
                shown = head + "e" + (exponent > 0 ? "+" : "") + exponent.ToString(CultureInfo.InvariantCulture);
            }
            else if (exponent < 0)
            {
                shown = "0." + new string('0', -exponent - 1) + mantissa;
            }
            else if (mantissa.Length <= exponent + 1)
            {
                shown = mantissa.PadRight(exponent + 1, '0') + ".0";
            }
            else
            {
                shown = mantissa.Substring(0, exponent + 1) + "." + mantissa.Substring(exponent + 1);
            }
            for (int i = 0; i < shown.Length; i++)
            {
                into[at + i] = (byte)shown[i];
            }
            return shown.Length;
        }
    }
}
