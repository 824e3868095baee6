using System;
using System.Threading;
using UnityEngine;

namespace Callsheet.Tests
{
    /// <summary>Plays frames as time passes, against a real server.</summary>
    internal static class RealTime
    {
        private const double PatienceS = 60;
        private const double FrameS = 1.0 / 60;

        internal static void Until(Func<bool> condition, string what)
        {
            DateTime deadline = DateTime.UtcNow.AddSeconds(PatienceS);
            while (!condition())
            {
                PlayerLoop.Frame(FrameS);
                Thread.Sleep(TimeSpan.FromSeconds(FrameS));
                if (DateTime.UtcNow > deadline)
                {
                    throw new TimeoutException("waited in vain for: " + what);
                }
            }
        }

        internal static void Print(string line)
        {
            Console.WriteLine(line);
            Console.Out.Flush();
        }
    }
}
