namespace UnityEditor.Build
{
    using UnityEditor.Build.Reporting;
    using UnityEditor.UnityLinker;

    public interface IOrderedCallback
    {
        int callbackOrder { get; }
    }

    public interface IUnityLinkerProcessor : IOrderedCallback
    {
        string GenerateAdditionalLinkXmlFile(BuildReport report, UnityLinkerBuildPipelineData data);
    }
}

namespace UnityEditor.Build.Reporting
{
    public sealed class BuildReport : UnityEngine.Object
    {
        private BuildReport()
        {
        }
    }
}

namespace UnityEditor.UnityLinker
{
    public sealed class UnityLinkerBuildPipelineData
    {
        private UnityLinkerBuildPipelineData()
        {
        }
    }
}
