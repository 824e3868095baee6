using System;
using System.Diagnostics;
using UnityEditor;
using UnityEngine;
using Debug = UnityEngine.Debug;

namespace Callsheet.Editor
{
    /// <summary>Starts and stops a server on this machine, and shows what it prints in the console.</summary>
    internal static class LocalServer
    {
        internal const string CommandPreference = "Callsheet.ServerCommand";
        internal const string DefaultCommand = "callsheet";
        internal const string PidState = "Callsheet.ServerPid";
        internal const string StartedState = "Callsheet.ServerStarted";
        private const double SameStartS = 2;
        private const string Menu = "Tools/Callsheet/";

        /// <summary>The program and its arguments for a URL.</summary>
        internal static ProcessStartInfo Start(string program, string url, bool scripted)
        {
            // StartCommand begins with the program's default name.
            string arguments = StartCommand.For(url).Substring(DefaultCommand.Length + 1);
            return new ProcessStartInfo(program, arguments + (scripted ? " --engine scripted" : ""))
            {
                UseShellExecute = false,
                CreateNoWindow = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
        }

        [MenuItem(Menu + "Start Local Server", priority = 0)]
        private static void StartWithModel() => Run(false);

        [MenuItem(Menu + "Start Local Server (fixed replies, no model)", priority = 1)]
        private static void StartScripted() => Run(true);

        [MenuItem(Menu + "Stop Local Server", priority = 2)]
        private static void Stop()
        {
            Process server = Running();
            SessionState.EraseInt(PidState);
            SessionState.EraseString(StartedState);
            if (server != null)
            {
                server.Kill();
                Debug.Log("[Callsheet] the local server is stopped");
            }
        }

        [MenuItem(Menu + "Stop Local Server", true)]
        private static bool CanStop() => Running() != null;

        [InitializeOnLoadMethod]
        private static void StopWithTheEditor() => EditorApplication.quitting += Stop;

        private static void Run(bool scripted)
        {
            if (Running() != null)
            {
                Debug.Log("[Callsheet] the local server is running already");
                return;
            }
            string program = EditorPrefs.GetString(CommandPreference, DefaultCommand);
            ProcessStartInfo start = Start(program, CallsheetSettings.Load().ServerUrl, scripted);
            try
            {
                Process server = Process.Start(start);
                server.OutputDataReceived += Print;
                server.ErrorDataReceived += Print;
                server.BeginOutputReadLine();
                server.BeginErrorReadLine();
                Remember(server);
                Debug.Log("[Callsheet] started: " + start.FileName + " " + start.Arguments);
            }
            catch (Exception error) when (error is System.ComponentModel.Win32Exception || error is InvalidOperationException)
            {
                Debug.LogError("[Callsheet] cannot start '" + program + "' (" + error.Message + "). Install it with: pip install callsheet[server]"
                    + "   If it is installed, give its full path in Project Settings > Callsheet.");
            }
        }

        internal static void Remember(Process server)
        {
            SessionState.SetInt(PidState, server.Id);
            SessionState.SetString(StartedState, StartTicks(server).ToString());
        }

        /// <summary>
        /// The server this editor started, if it still runs; survives a domain reload. Another process that
        /// got the number of one that has ended is told by when it was started.
        /// </summary>
        internal static Process Running()
        {
            int pid = SessionState.GetInt(PidState, 0);
            if (pid == 0)
            {
                return null;
            }
            try
            {
                Process server = Process.GetProcessById(pid);
                long.TryParse(SessionState.GetString(StartedState, ""), out long started);
                bool isOurs = !server.HasExited && Math.Abs(StartTicks(server) - started) < SameStartS * TimeSpan.TicksPerSecond;
                return isOurs ? server : null;
            }
            catch (Exception gone) when (gone is ArgumentException || gone is InvalidOperationException || gone is System.ComponentModel.Win32Exception)
            {
                return null;
            }
        }

        private static long StartTicks(Process server) => server.StartTime.ToUniversalTime().Ticks;

        private static void Print(object sender, DataReceivedEventArgs line)
        {
            if (!string.IsNullOrEmpty(line.Data))
            {
                Debug.Log("[Callsheet server] " + line.Data);
            }
        }
    }
}
