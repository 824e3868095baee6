using System;
using System.Diagnostics;
using Callsheet.Core;
using Callsheet.Wire;

namespace Callsheet.Tests
{
    /// <summary>Prints the median time to encode ticks of so many NPCs, in microseconds.</summary>
    internal static class EncodeBenchmark
    {
        private const int Rounds = 301;

        private static void Main(string[] arguments)
        {
            foreach (string argument in arguments)
            {
                uint npcs = uint.Parse(argument, System.Globalization.CultureInfo.InvariantCulture);
                var writer = new TickWriter();
                var times = new double[Rounds];
                for (int round = 0; round < Rounds; round++)
                {
                    long start = Stopwatch.GetTimestamp();
                    writer.Begin(TickKind.Keyframe, (uint)round, round, false);
                    for (uint i = 0; i < npcs; i++)
                    {
                        writer.Npc(i, i, 0, i, 1, 0, 1, float.NaN, NpcFlags.None);
                    }
                    times[round] = (Stopwatch.GetTimestamp() - start) * 1e6 / Stopwatch.Frequency;
                }
                Array.Sort(times);
                Console.WriteLine(npcs + " " + times[Rounds / 2].ToString("F1", System.Globalization.CultureInfo.InvariantCulture));
            }
        }
    }
}
