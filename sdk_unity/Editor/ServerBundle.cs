using System;
using System.Diagnostics;
using System.IO;
using UnityEditor;
using UnityEditor.Build;
using UnityEditor.Build.Reporting;
using UnityEngine;
using Debug = UnityEngine.Debug;

namespace Callsheet.Editor
{
    /// <summary>Puts the server into StreamingAssets, and keeps it out of builds that cannot run it.</summary>
    internal sealed class ServerBundle : IPreprocessBuildWithReport
    {
        internal const string Folder = "Assets/StreamingAssets/" + CallsheetServerProcess.BundleName;
        private const string Menu = "Callsheet/Add server to build";

        public int callbackOrder => 0;

        /// <summary>The command that makes the bundle, for the system that this editor runs on.</summary>
        internal static ProcessStartInfo Command(string program, string model) =>
            new ProcessStartInfo(program, "bundle --out \"" + Folder + "\"" + (string.IsNullOrEmpty(model) ? "" : " --model \"" + model + "\""))
            {
                UseShellExecute = false,
                CreateNoWindow = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };

        /// <summary>Tells why a bundle must not go into a build; null if it may.</summary>
        internal static string Problem(BuildTarget target, bool hasBundle)
        {
            bool runs = target == BuildTarget.StandaloneWindows64 || target == BuildTarget.StandaloneWindows
                || target == BuildTarget.StandaloneOSX || target == BuildTarget.StandaloneLinux64;
            return runs || !hasBundle ? null : target + " cannot run a server beside the game: delete " + Folder
                + ", host a server, and set its URL in Project Settings > Callsheet (docs/shipping.md)";
        }

        public void OnPreprocessBuild(BuildReport report)
        {
            string problem = Problem(report.summary.platform, Directory.Exists(Folder));
            if (problem != null)
            {
                throw new BuildFailedException("[Callsheet] " + problem);
            }
        }

        [MenuItem(Menu)]
        private static void Add()
        {
            string model = EditorUtility.OpenFilePanel("A model to ship (GGUF); cancel: the first start pulls one", "", "gguf");
            ProcessStartInfo start = Command(EditorPrefs.GetString(LocalServer.CommandPreference, LocalServer.DefaultCommand), model);
            try
            {
                EditorUtility.DisplayProgressBar("Callsheet", "The server is packed; this takes a minute or three.", 0.5f);
                using (Process bundler = Process.Start(start))
                {
                    var said = new System.Text.StringBuilder();
                    bundler.ErrorDataReceived += (sender, line) => said.AppendLine(line.Data);
                    bundler.BeginErrorReadLine();
                    string printed = bundler.StandardOutput.ReadToEnd();
                    bundler.WaitForExit();
                    if (bundler.ExitCode == 0)
                    {
                        Debug.Log("[Callsheet] " + printed + "Add a Callsheet Server Process to the first scene.");
                    }
                    else
                    {
                        Debug.LogError("[Callsheet] " + start.FileName + " " + start.Arguments + " failed: " + said);
                    }
                }
            }
            catch (Exception error) when (error is System.ComponentModel.Win32Exception || error is InvalidOperationException)
            {
                Debug.LogError("[Callsheet] cannot start '" + start.FileName + "' (" + error.Message + "). Install it with: pip install callsheet[server,bundle]"
                    + "   If it is installed, give its full path in Project Settings > Callsheet.");
            }
            finally
            {
                EditorUtility.ClearProgressBar();
                AssetDatabase.Refresh();
            }
        }
    }
}
